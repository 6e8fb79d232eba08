"""Clients that ask at once, and clients that stop in the middle of a request."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vertex_torchserve.conformance.exchange import Address, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.verdict import Broken


@dataclass(frozen=True)
class Load:
    """A load that goes on.

    Attributes:
        until: When it ends, on the monotonic clock.
    """

    until: float

    def goes_on(self) -> bool:
        """Whether it is not over yet."""
        return time.monotonic() < self.until


@contextlib.contextmanager
def under_load(address: Address, route: str, body: bytes, limits: Limits) -> Iterator[Load]:
    """Ask for predictions from several threads, for `limits.load` seconds or as long as the block takes."""
    load, over = Load(time.monotonic() + limits.load), threading.Event()

    def ask_on() -> None:
        while load.goes_on() and not over.is_set():
            with contextlib.suppress(NoAnswer):
                exchange(address, "POST", route, body, seconds=limits.answer)

    with ThreadPoolExecutor(limits.clients) as pool:
        for _ in range(limits.clients):
            pool.submit(ask_on)
        try:
            yield load
        finally:
            over.set()


@contextlib.contextmanager
def half_requests(address: Address, route: str, body: bytes, count: int) -> Iterator[None]:
    """Connections that have sent a part of a request: half of its head, or its head and half of its body."""
    head = (
        f"POST {route} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
    ).encode()
    parts = (head[: len(head) // 2], head + b"\r\n" + body[: len(body) // 2])
    with contextlib.ExitStack() as connections:
        try:
            for index in range(count):
                connection = connections.enter_context(socket.create_connection(address, timeout=10.0))
                connection.sendall(parts[index % 2])
        except OSError as error:
            raise Broken(f"the server did not take {count} connections: {error}") from error
        yield
