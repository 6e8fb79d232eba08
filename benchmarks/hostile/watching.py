"""How long others wait meanwhile: `/ping` and a neighbour's prediction, asked all the time.

They are asked from a process of their own, so that what the hostile clients cost this one isn't counted.
"""

import http.client
import multiprocessing
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType

PAUSE_SECONDS = 0.01
LONGEST_SECONDS = 5.0
"""After this a question counts as not answered."""


@dataclass(frozen=True)
class Asked:
    """One question, on a connection of its own; `status` is 0 when there was no answer in time."""

    began: float
    ended: float
    status: int

    @property
    def seconds(self) -> float:
        """From before the connection was opened until the answer was read."""
        return self.ended - self.began


@dataclass(frozen=True)
class Suffered:
    """What the others saw while an attack went on.

    Attributes:
        slowest: Seconds that the slowest answer took.
        failed: How many answers were not 200.
        asked: How many there were.
    """

    slowest: float
    failed: int
    asked: int

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> "Suffered":
        """Sum up."""
        return cls(max(one.seconds for one in asked), sum(one.status != 200 for one in asked), len(asked))


class Watch:
    """Asks `/ping` and a small prediction again and again while it is open.

    Args:
        port: The server's, on loopback.
        body: Of the small prediction.
    """

    def __init__(self, port: int, body: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(port, body, theirs), daemon=True)
        self._process.start()
        self._pipe.recv()  # both have been asked once

    def during(self, began: float, ended: float) -> tuple[Suffered, Suffered]:
        """What `/ping` and the predictions took that were on their way between two moments (monotonic)."""
        self._pipe.send((began, ended))
        ping, neighbour = self._pipe.recv()
        return Suffered.of(ping), Suffered.of(neighbour)

    def begin_anew(self) -> None:
        """Wait until no question is on its way that was asked before this moment."""
        now = time.monotonic()
        self.during(now, now)

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()


def _serve(port: int, body: bytes, pipe: Connection) -> None:
    ping, neighbour = _Questions(port, "/ping", None), _Questions(port, "/predictions/model", body)
    pipe.send("begun")
    while True:
        began, ended = pipe.recv()
        pipe.send((ping.during(began, ended), neighbour.during(began, ended)))


class _Questions:
    """One kind of question, asked in a thread without end."""

    def __init__(self, port: int, path: str, body: bytes | None) -> None:
        self._port, self._path, self._body = port, path, body
        self._asked: list[Asked] = []
        self._one_more = threading.Condition()
        threading.Thread(target=self._ask_on, daemon=True).start()
        self.during(0, time.monotonic())

    def during(self, began: float, ended: float) -> list[Asked]:
        with self._one_more:
            self._one_more.wait_for(lambda: bool(self._asked) and self._asked[-1].began > ended)
            found = [one for one in self._asked if one.ended > began and one.began < ended]
            # The next attack comes later.
            self._asked = self._asked[-1:]
        return found or self._asked

    def _ask_on(self) -> None:
        while True:
            began = time.monotonic()
            status = ask_small(self._port, self._path, self._body)
            asked = Asked(began, time.monotonic(), status)
            with self._one_more:
                self._asked.append(asked)
                self._one_more.notify()
            time.sleep(PAUSE_SECONDS)


def ask_small(port: int, path: str, body: bytes | None, seconds: float = LONGEST_SECONDS) -> int:
    """The status of one small question on a connection of its own; 0 when there was none in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
