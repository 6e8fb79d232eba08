"""Clients in processes of their own that ask a server as fast as it answers; no program to install."""

import json
import math
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from benchmarks.machine import usable_cores
from benchmarks.model_alone import text
from vertex_torchserve.smoke_test.report import LoadStep

_ANSWER_SECONDS = 120.0
_START_SECONDS = 60.0
_MOST_PROCESSES = 8
_BODIES = 64
Times = list[float | None]


def run_load(
    port: int,
    path: str,
    parameters: dict[str, Any],
    texts: int,
    clients: int,
    seconds: float,
    during: AbstractContextManager[object] | None = None,
) -> LoadStep:
    """Let clients ask at once, each again as soon as it is answered, on connections that stay open.

    Args:
        port: The server's, on loopback.
        path: Of the predict route.
        parameters: Of each request.
        texts: Of each request; all are distinct.
        clients: How many; a quarter of the cores send for them.
        seconds: How long.
        during: Is entered when the first client asks, and left when the last is answered.
    """
    processes = max(1, min(clients, usable_cores() // 4, _MOST_PROCESSES))
    shares = [len(range(first, clients, processes)) for first in range(processes)]
    context = multiprocessing.get_context("spawn")
    begin, answers = context.Barrier(processes + 1), context.Queue()
    started = [
        context.Process(
            target=_be_clients,
            args=(port, path, parameters, texts, share, number, seconds, begin, answers),
            daemon=True,
        )
        for number, share in enumerate(shares)
    ]
    for process in started:
        process.start()
    begin.wait(_START_SECONDS)
    with during or nullcontext():
        found = [answers.get(timeout=seconds + _ANSWER_SECONDS) for _ in started]
    for process in started:
        process.join(_START_SECONDS)
    answered = sorted(1000 * each for times, _ in found for each in times if each is not None)
    return LoadStep(
        clients=clients,
        seconds=round(max(took for _, took in found), 3),
        answered=len(answered),
        failed=sum(each is None for times, _ in found for each in times),
        median_ms=round(statistics.median(answered), 2) if answered else 0.0,
        p95_ms=round(answered[math.ceil(0.95 * len(answered)) - 1], 2) if answered else 0.0,
    )


def _be_clients(
    port: int,
    path: str,
    parameters: dict[str, Any],
    texts: int,
    clients: int,
    number: int,
    seconds: float,
    begin: Any,
    answers: Any,
) -> None:
    """Be one of the processes: a thread a client."""
    requests = _requests(path, parameters, texts, 1_000_000 * number)
    begin.wait(_START_SECONDS)
    began = time.perf_counter()
    times: list[Times] = [[] for _ in range(clients)]
    threads = [
        threading.Thread(target=_ask_until, args=(began + seconds, port, requests[first:], each))
        for first, each in enumerate(times)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(([each for own in times for each in own], time.perf_counter() - began))


def _requests(path: str, parameters: dict[str, Any], texts: int, first: int) -> list[bytes]:
    """Whole requests, as they go over the wire."""
    made = []
    for number in range(first, first + _BODIES * texts, texts):
        own = [text(each) for each in range(number, number + texts)]
        body = json.dumps({"instances": own, "parameters": parameters}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _ask_until(end: float, port: int, requests: Sequence[bytes], times: Times) -> None:
    """Be one client: fill `times` with the seconds of each answer, None for a failure, which is the last."""
    try:
        with socket.create_connection(("127.0.0.1", port), _ANSWER_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = connection.makefile("rb")
            number = 0
            while True:
                began = time.perf_counter()
                connection.sendall(requests[number % len(requests)])
                if not _is_answered(stream):
                    times.append(None)
                    return
                times.append(time.perf_counter() - began)
                number += 1
                if time.perf_counter() >= end:
                    return
    except (OSError, ValueError):
        times.append(None)


def _is_answered(stream: Any) -> bool:
    """Read one answer to its end; whether its status is 200."""
    status = stream.readline().split(b" ", 2)
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return len(stream.read(length)) == length > 0 and status[1:2] == [b"200"]
