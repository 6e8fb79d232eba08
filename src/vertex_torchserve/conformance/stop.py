"""SIGTERM while requests are on their way, and what becomes of them and of the server."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from vertex_torchserve.conformance.exchange import Address, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.request_forms import repeated
from vertex_torchserve.conformance.server import Server
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

_REQUESTS = 4
# Long enough that the server has them after half of it, and still has them when the signal arrives.
_WANTED_SECONDS = 0.6
# A machine that was busy while a request was measured makes it look longer than it is.
_TRIES = 3
_MOST_INSTANCES = 1024
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class StopRecord:
    """What was seen.

    Attributes:
        in_flight: Requests that were sent and not answered when SIGTERM was sent.
        lost: What those got that were not answered 200, and when.
        refused: What a request got before SIGTERM was sent, where it was no 200; none is in flight then.
        exit_code: Of the server; None when it had to be killed.
        seconds: From SIGTERM to its end.
    """

    in_flight: int
    lost: tuple[str, ...]
    refused: str
    exit_code: int | None
    seconds: float


def stop_under_load(
    server: Server, address: Address, route: str, request: PredictionRequest, limits: Limits
) -> StopRecord:
    """Send requests that take a while, SIGTERM in their midst, and wait for both.

    Args:
        server: The server.
        address: Where it is.
        route: Its predict route.
        request: What the model can answer.
        limits: How long each may take.
    """

    def ask(body: bytes) -> _Fate:
        try:
            answer = exchange(address, "POST", route, body, seconds=limits.answer)
        except NoAnswer as error:
            return _Fate(str(error))
        return _Fate("" if answer.status == 200 else answer.shown())

    with ThreadPoolExecutor(_REQUESTS) as pool:
        in_flight, refused = _in_flight(pool, ask, request)
        began = time.monotonic()
        exit_code = server.terminate(limits.stop)
        ended = time.monotonic() - began
        fates = [each.result() for each in in_flight]
    lost = tuple(f"{fate.refused}, {fate.at - began:.1f} s after SIGTERM" for fate in fates if fate.refused)
    return StopRecord(len(in_flight), lost, refused, exit_code, ended)


@dataclass(frozen=True)
class _Fate:
    """What came of a request: nothing for 200, else what was answered; when, on the monotonic clock."""

    refused: str
    at: float = field(default_factory=time.monotonic)


_Asking = Callable[[bytes], _Fate]


def _in_flight(
    pool: ThreadPoolExecutor, ask: _Asking, request: PredictionRequest
) -> tuple[list[Future[_Fate]], str]:
    """Requests that were sent a while ago and aren't answered; none, and why, where that can't be had."""
    for _ in range(_TRIES):
        body, seconds, refused = _long_request(ask, request)
        if refused:
            return [], refused
        barrier = threading.Barrier(_REQUESTS + 1)

        def ask_together(body: bytes = body, barrier: threading.Barrier = barrier) -> _Fate:
            barrier.wait()
            return ask(body)

        asked = [pool.submit(ask_together) for _ in range(_REQUESTS)]
        barrier.wait()
        time.sleep(seconds / 2)
        in_flight = [each for each in asked if not each.done()]
        if in_flight:
            return in_flight, ""
    return [], ""


def _long_request(ask: _Asking, request: PredictionRequest) -> tuple[bytes, float, str]:
    """The request with as many instances as make it long enough, the seconds that it takes, and a refusal.

    Where more instances are refused, the longest that was answered; a refusal only where none was.
    """
    longest, its_seconds = request.body(), 0.0
    count = len(request.instances)
    while count <= _MOST_INSTANCES and its_seconds < _WANTED_SECONDS:
        body, began = repeated(request, count), time.monotonic()
        if len(body) > _MOST_BYTES:
            break
        if refused := ask(body).refused:
            return longest, its_seconds, "" if its_seconds else refused
        longest, its_seconds = body, time.monotonic() - began
        count *= 2
    return longest, its_seconds, ""
