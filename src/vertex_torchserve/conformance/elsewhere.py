"""What a server does that is told another port and other routes than the first one."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from vertex_torchserve.conformance.exchange import Address, Answer, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.server import Conditions, Server
from vertex_torchserve.conformance.start import is_listening
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

OTHER_HEALTH_ROUTE = "/elsewhere/health"
OTHER_PREDICT_ROUTE = "/elsewhere/predict"
_POLL_SECONDS = 0.1


@dataclass
class ElsewhereRecord:
    """What was seen.

    Attributes:
        told_port: The port it was told.
        port: The port that it listened on; None when on neither.
        health: What the other health route answered last.
        predict: What the other predict route answered last.
        health_ok: Whether that was 200.
        predict_ok: Whether that was 200.
        log_tail: The end of its log.
    """

    told_port: int
    port: int | None = None
    health: str = "it was not asked"
    predict: str = "it was not asked"
    health_ok: bool = False
    predict_ok: bool = False
    log_tail: str = ""


def look_elsewhere(
    start: Callable[[Conditions], Server],
    first: Conditions,
    ports: tuple[int, int],
    request: PredictionRequest,
    limits: Limits,
    seconds: float,
) -> ElsewhereRecord:
    """Start a server with another port and other routes, and ask both the others and the first ones.

    It is asked until it answers on one of the routes, so that one that loads for long is waited for, and one
    that has the first routes only isn't.

    Args:
        start: Starts it.
        first: How the first server was started.
        ports: The first server's port, and the other.
        request: What the model can answer.
        limits: How long each answer may take.
        seconds: How long it may take until it answers.
    """
    other = replace(first, port=ports[1], health_route=OTHER_HEALTH_ROUTE, predict_route=OTHER_PREDICT_ROUTE)
    record, deadline = ElsewhereRecord(other.port), time.monotonic() + seconds
    server = start(other)
    while time.monotonic() < deadline and server.exit_code() is None:
        with contextlib.suppress(NoAnswer):
            record.port = next((port for port in ports[::-1] if is_listening(server.address(port))), None)
            if record.port is not None:
                address = server.address(record.port)
                if _answers(record, address, first, request, limits):
                    break
        time.sleep(_POLL_SECONDS)
    record.log_tail = server.log_tail()
    return record


def _answers(
    record: ElsewhereRecord, address: Address, first: Conditions, request: PredictionRequest, limits: Limits
) -> bool:
    """Ask for health and a prediction; whether each answered on one of its routes."""

    def health(route: str) -> Answer:
        return exchange(address, "GET", route, seconds=limits.health)

    def predict(route: str) -> Answer:
        return exchange(address, "POST", route, request.body(), seconds=limits.answer)

    healthy, predicted = health(OTHER_HEALTH_ROUTE), predict(OTHER_PREDICT_ROUTE)
    record.health, record.health_ok = healthy.shown(), healthy.status == 200
    record.predict, record.predict_ok = predicted.shown(), predicted.status == 200
    return (record.health_ok or health(first.health_route).status == 200) and (
        record.predict_ok or predict(first.predict_route).status == 200
    )
