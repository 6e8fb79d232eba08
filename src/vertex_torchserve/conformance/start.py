"""What a server does from its start until it answers its first prediction."""

import contextlib
import socket
import time
from dataclasses import dataclass

from vertex_torchserve.conformance.exchange import Address, Answer, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.server import Conditions, Server
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

_POLL_SECONDS = 0.05
# Whether a container runs, and where, is what Docker's client tells: a server that loads would feel its start
# before each poll.
_STATE_SECONDS = 0.5
# Docker's proxy accepts every connection, and closes at once those that it can't pass on.
_PROXY_SECONDS = 0.2


@dataclass
class StartRecord:
    """What was seen; all times in seconds from the start, None for what did not happen.

    Attributes:
        listening: When a connection was accepted.
        ready: When the health route first answered 200.
        first_prediction: What the first prediction after that was answered.
        last_prediction: What the last one was answered.
        answering: When a prediction was first answered 200.
        usual: How long the one after that took.
        last_health: What the health route answered last.
        ended: The exit code, when it ended before it answered.
        log_tail: The end of its log, when it never answered.
    """

    listening: float | None = None
    ready: float | None = None
    first_prediction: str = ""
    last_prediction: str = ""
    answering: float | None = None
    usual: float | None = None
    last_health: str = "it was not asked"
    ended: int | None = None
    log_tail: str = ""

    def failure(self) -> str:
        """Why it never answered a prediction, and the end of its log."""
        if self.ended is not None:
            reason = f"the server ended with code {self.ended}"
        elif self.listening is None:
            reason = "nothing listened on the port"
        elif self.ready is None:
            reason = f"the health route never answered 200: {self.last_health}"
        else:
            reason = f"no prediction was answered 200: {self.last_prediction}"
        return f"{reason}; the log ends: {self.log_tail}" if self.log_tail else reason


def watch_start(
    server: Server, conditions: Conditions, request: PredictionRequest, limits: Limits, seconds: float
) -> StartRecord:
    """Ask from the start on, until a prediction is answered 200, the server ends, or `seconds` are over."""
    record, began = StartRecord(), time.monotonic()
    state_is_due, address = began, None
    while record.answering is None and time.monotonic() - began < seconds:
        with contextlib.suppress(NoAnswer):
            if time.monotonic() >= state_is_due:
                record.ended = server.exit_code()
                if record.ended is not None:
                    break
                address = server.address(conditions.port)
                state_is_due = time.monotonic() + _STATE_SECONDS
            if address is not None:
                _look(record, address, conditions, request, limits, began)
        time.sleep(_POLL_SECONDS if record.answering is None else 0)
    if record.answering is None:
        record.log_tail = server.log_tail()
    else:
        with contextlib.suppress(NoAnswer):
            address, route = server.address(conditions.port), conditions.predict_route
            record.usual = exchange(address, "POST", route, request.body(), seconds=limits.answer).seconds
    return record


def is_listening(address: Address) -> bool:
    """Whether a connection is accepted, and not only by Docker's proxy."""
    try:
        with socket.create_connection(address, timeout=_PROXY_SECONDS) as connection:
            return connection.recv(1) != b""
    except TimeoutError:
        return True  # it waits for a request
    except OSError:
        return False


def _look(
    record: StartRecord,
    address: Address,
    conditions: Conditions,
    request: PredictionRequest,
    limits: Limits,
    began: float,
) -> None:
    """Whatever is to be seen next."""
    if record.listening is None:
        if not is_listening(address):
            return
        record.listening = time.monotonic() - began
    if record.ready is None:
        health = _tried(record, address, conditions.health_route, limits.health)
        if health.status != 200:
            return
        record.ready = time.monotonic() - began
    try:
        prediction = exchange(
            address, "POST", conditions.predict_route, request.body(), seconds=limits.answer
        )
        seen = prediction.shown()
        if prediction.status == 200:
            record.answering = time.monotonic() - began
    except NoAnswer as error:
        seen = str(error)
    record.first_prediction = record.first_prediction or seen
    record.last_prediction = seen


def _tried(record: StartRecord, address: Address, route: str, seconds: float) -> Answer:
    try:
        answer = exchange(address, "GET", route, seconds=seconds)
    except NoAnswer as error:
        record.last_health = str(error)
        raise
    record.last_health = answer.shown()
    return answer
