"""A short load run: a few clients, then more, each asking again as soon as it is answered."""

import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from vertex_torchserve.smoke_test.report import LoadStep

CLIENTS = (1, 2, 4, 8)
STEP_SECONDS = 1.2
# A slow model is asked once by each client of a step; the run ends before a step that would go beyond this.
_MOST_SECONDS = 20.0
_ANSWER_SECONDS = 60.0


def run_load(url: str, bodies: Sequence[bytes]) -> Iterator[LoadStep]:
    """Ask a server with rising numbers of clients, all in threads of this process.

    Args:
        url: The predict route.
        bodies: What is sent, in turn; JSON.

    Yields:
        What each number of clients saw. The first step in which a request fails is the last.
    """
    began = time.monotonic()
    for clients in CLIENTS:
        step = _run_step(url, bodies, clients)
        yield step
        if step.failed or time.monotonic() - began + 2 * step.seconds > _MOST_SECONDS:
            return


def _run_step(url: str, bodies: Sequence[bytes], clients: int) -> LoadStep:
    began = time.monotonic()
    end = began + STEP_SECONDS
    with ThreadPoolExecutor(clients, thread_name_prefix="load") as pool:
        asked = [pool.submit(_ask_until, end, url, bodies, first) for first in range(clients)]
        times = list(itertools.chain.from_iterable(each.result() for each in asked))
    seconds = time.monotonic() - began
    answered = sorted(each * 1000 for each in times if each is not None)
    return LoadStep(
        clients=clients,
        seconds=round(seconds, 3),
        answered=len(answered),
        failed=len(times) - len(answered),
        median_ms=round(statistics.median(answered), 2) if answered else 0.0,
        p95_ms=round(answered[-(-len(answered) * 95 // 100) - 1], 2) if answered else 0.0,
    )


def _ask_until(end: float, url: str, bodies: Sequence[bytes], first: int) -> list[float | None]:
    """Ask, at least once, until `end`; the seconds of each answer, None for a request that failed."""
    times: list[float | None] = []
    headers = {"Content-Type": "application/json"}
    with httpx.Client(headers=headers, timeout=_ANSWER_SECONDS, trust_env=False) as client:
        for body in itertools.islice(itertools.cycle(bodies), first, None):
            began = time.monotonic()
            try:
                answered = client.post(url, content=body).status_code == 200
            except httpx.HTTPError:
                answered = False
            times.append(time.monotonic() - began if answered else None)
            if not answered or time.monotonic() >= end:
                return times
    return times
