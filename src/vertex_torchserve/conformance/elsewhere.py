"""What a server does that is told another port and other routes than the first one."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vertex_torchserve.conformance.exchange import Address, Answer, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.server import Conditions, Server
from vertex_torchserve.conformance.start import is_listening
from vertex_torchserve.conformance.verdict import Broken, NotRun
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

OTHER_HEALTH_ROUTE = "/elsewhere/health"
OTHER_PREDICT_ROUTE = "/elsewhere/predict"
_POLL_SECONDS = 0.1


@dataclass
class RouteAsked:
    """One of the other routes.

    Attributes:
        method: How it is asked.
        route: Its path.
        seen: What it answered last.
        ok: Whether that was 200.
    """

    method: str
    route: str
    seen: str = "it was not asked"
    ok: bool = False

    def note(self, answer: Answer) -> bool:
        """Keep an answer; whether it is 200."""
        self.seen, self.ok = answer.shown(), answer.status == 200
        return self.ok


@dataclass
class ElsewhereRecord:
    """What was seen.

    Attributes:
        told_port: The port it was told.
        port: The port that it listened on; None when on neither.
        health: The other health route.
        predict: The other predict route.
        log_tail: The end of its log.
    """

    told_port: int
    port: int | None = None
    health: RouteAsked = field(default_factory=lambda: RouteAsked("GET", OTHER_HEALTH_ROUTE))
    predict: RouteAsked = field(default_factory=lambda: RouteAsked("POST", OTHER_PREDICT_ROUTE))
    log_tail: str = ""

    def answered(self, asked: RouteAsked) -> str:
        """Say that one of its routes answered.

        Raises:
            Broken: When it did not.
            NotRun: When nothing listened.
        """
        if self.port is None:
            raise NotRun("it did not start with another port and other routes")
        if not asked.ok:
            raise Broken(f"{asked.method} {asked.route} got {asked.seen}")
        return f"{asked.method} {asked.route} got 200"


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

    healthy = record.health.note(health(record.health.route))
    predicted = record.predict.note(predict(record.predict.route))
    return (healthy or health(first.health_route).status == 200) and (
        predicted or predict(first.predict_route).status == 200
    )
