"""SIGTERM while requests are on their way, and what becomes of them and of the server."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

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
        lost: What those got that were not answered 200.
        exit_code: Of the server; None when it had to be killed.
        seconds: From SIGTERM to its end.
    """

    in_flight: int
    lost: tuple[str, ...]
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

    def ask(body: bytes) -> str:
        """Empty for 200, else what came."""
        try:
            answer = exchange(address, "POST", route, body, seconds=limits.answer)
        except NoAnswer as error:
            return str(error)
        return "" if answer.status == 200 else answer.shown()

    with ThreadPoolExecutor(_REQUESTS) as pool:
        in_flight = _in_flight(pool, ask, request)
        began = time.monotonic()
        exit_code = server.terminate(limits.stop)
        ended = time.monotonic() - began
        lost = tuple(each.result() for each in in_flight if each.result())
    return StopRecord(len(in_flight), lost, exit_code, ended)


def _in_flight(
    pool: ThreadPoolExecutor, ask: Callable[[bytes], str], request: PredictionRequest
) -> list[Future[str]]:
    """Requests that were sent a while ago and aren't answered; none where the server is too quick."""
    for _ in range(_TRIES):
        body, seconds = _long_request(ask, request)
        barrier = threading.Barrier(_REQUESTS + 1)

        def ask_together(body: bytes = body, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            return ask(body)

        asked = [pool.submit(ask_together) for _ in range(_REQUESTS)]
        barrier.wait()
        time.sleep(seconds / 2)
        in_flight = [each for each in asked if not each.done()]
        if in_flight:
            return in_flight
    return []


def _long_request(ask: Callable[[bytes], str], request: PredictionRequest) -> tuple[bytes, float]:
    """The request with as many instances as make it long enough, and the seconds that it takes."""
    longest, its_seconds = request.body(), 0.0
    count = len(request.instances)
    while count <= _MOST_INSTANCES and its_seconds < _WANTED_SECONDS:
        body, began = repeated(request, count), time.monotonic()
        if len(body) > _MOST_BYTES or ask(body):
            break
        longest, its_seconds = body, time.monotonic() - began
        count *= 2
    return longest, its_seconds
