"""A hostile client: all its connections at once, in one thread."""

import re
import select
import selectors
import socket
import time
from dataclasses import dataclass

from .attack import Attack

STEP_SECONDS = 0.05
DRIP_SECONDS = 1.0
READ_BYTES = 1 << 18
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Sent:
    """What became of one connection.

    Attributes:
        outcome: The status of its first answer; `closed` when it ended without one, `open` when neither
            came in time.
        seconds: From its first byte until the outcome.
    """

    outcome: str
    seconds: float


class _Connection:
    """One connection, which doesn't block."""

    def __init__(self, attack: Attack, payload: memoryview, port: int) -> None:
        self._attack = attack
        self._rest = payload
        self._received = b""
        self._began = self._dripped = time.monotonic()
        self.sent: Sent | None = None
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setblocking(False)

    def events(self) -> int:
        """What is waited for: nothing once all is sent by a client that doesn't read."""
        reads = selectors.EVENT_READ if self._attack.reads else 0
        return reads | (selectors.EVENT_WRITE if self._rest else 0)

    def look(self) -> None:
        """See whether the server has closed it."""
        watched = select.poll()
        watched.register(self.socket, select.POLLRDHUP)  # an error is told in any case
        if watched.poll(0):
            self.end("closed")

    def drip(self) -> None:
        if self._attack.drips and not self._rest and time.monotonic() > self._dripped + DRIP_SECONDS:
            self._rest = memoryview(b"a")
            self._dripped = time.monotonic()

    def write(self) -> None:
        try:
            self._rest = self._rest[self.socket.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            # The server listens no more; what it has answered is still to be read.
            self._rest = memoryview(b"")
            if not self._attack.reads:
                self.end("closed")

    def read(self) -> None:
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._received += data
        status = _STATUS.match(self._received)
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        whole = bool(end and length and len(body) >= int(length[1]))
        if status and (whole or not data):
            self.end(status[1].decode())
        elif not data:
            self.end("closed")

    def end(self, outcome: str) -> None:
        if self.sent is None:
            self.sent = Sent(outcome, time.monotonic() - self._began)


def attack_once(attack: Attack, payload: bytes, port: int, seconds: float) -> list[Sent]:
    """Open every connection of one client, send, and wait for the answers.

    Args:
        attack: What is sent.
        payload: What `attack.payload` made.
        port: The server's, on loopback.
        seconds: After which the client leaves; one that `holds` stays so long in any case.

    Returns:
        What became of each connection.
    """
    deadline = time.monotonic() + seconds
    connections: list[_Connection] = []
    with selectors.DefaultSelector() as selector:
        try:
            refused = 0
            for _ in range(attack.connections):
                try:
                    connections.append(_Connection(attack, memoryview(payload), port))
                except OSError:
                    refused += 1
                    continue
                selector.register(connections[-1].socket, connections[-1].events(), connections[-1])
            left = len(connections)
            while time.monotonic() < deadline and (left or attack.holds):
                left -= _step(selector, connections)
            for connection in connections:
                connection.end("open")
        finally:
            for connection in connections:
                connection.socket.close()
    return [connection.sent or Sent("open", seconds) for connection in connections] + [
        Sent("closed", 0.0)
    ] * refused


def _step(selector: selectors.BaseSelector, connections: list[_Connection]) -> int:
    """Send and read what can be; returns how many connections got their outcome."""
    silent = [one for one in connections if one.sent is None and not one.events()]
    for connection in silent:
        connection.look()
    ended = sum(one.sent is not None for one in silent)
    if not selector.get_map():
        time.sleep(STEP_SECONDS)
        return ended
    for key, events in selector.select(STEP_SECONDS):
        connection = key.data
        if events & selectors.EVENT_WRITE:
            connection.write()
        if events & selectors.EVENT_READ:
            connection.read()
        if connection.sent:
            selector.unregister(connection.socket)
            ended += 1
        elif not connection.events():
            selector.unregister(connection.socket)
        elif key.events != connection.events():
            selector.modify(connection.socket, connection.events(), connection)
    for connection in connections:
        connection.drip()
    return ended
