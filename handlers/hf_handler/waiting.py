"""How long somebody waits for a request's answer: its work ends with that."""

import functools
import os
import time
from typing import Any

import numpy

from hf_handler.schema import Refused

# Headers that our server gives every request, in place of those that a client may have sent. Elsewhere a
# client can only shorten its own time by them.
ANSWER_BY = "x-vts-answer-by"  # when it will answer 504, in milliseconds of Unix time
NUMBER = "x-vts-request-number"  # its place in the table of abandoned requests
# Names the file with that table: our server writes a request's number there when its connection has ended.
ABANDONED = "VTS_ABANDONED_REQUESTS"


class OutOfTime(Refused):
    """The time that a request may take is over."""

    def __init__(self) -> None:
        super().__init__(
            "no answer within the time that a request may take; send fewer or smaller instances at a time, "
            "or have the operator raise VTS_REQUEST_TIMEOUT_SECONDS and handler.max_request_seconds",
            504,
        )


class Abandoned(Refused):
    """The client has gone: nobody reads this."""

    def __init__(self) -> None:
        super().__init__("the client has closed its connection", 408)


class Waiting:
    """Whether somebody waits for a request's answer.

    Args:
        deadline: When nobody does any more, in seconds of the monotonic clock.
        number: Of the request in our server, from 1; 0 where it has none.
    """

    __slots__ = ("_deadline", "_number")

    def __init__(self, deadline: float = float("inf"), number: int = 0) -> None:
        self._deadline, self._number = deadline, number

    @classmethod
    def of(cls, processor: Any, seconds: float) -> "Waiting":
        """Read it from a request's headers.

        Args:
            processor: TorchServe's `RequestProcessor`, which has them; None where there is none.
            seconds: The most that a request may take from now on.
        """
        latest = time.monotonic() + seconds
        if processor is None:
            return cls(latest)
        answer_by, number = (_whole(processor.get_request_property(name)) for name in (ANSWER_BY, NUMBER))
        if answer_by:
            latest = min(latest, time.monotonic() + answer_by / 1000 - time.time())
        return cls(latest, number)

    def ended(self) -> Refused | None:
        """Return why nobody waits any more; None where somebody does."""
        if time.monotonic() >= self._deadline:
            return OutOfTime()
        if self._number and (table := _abandoned_requests()) is not None:
            return Abandoned() if table[self._number % len(table)] == self._number else None
        return None


FOREVER = Waiting()


def _whole(text: Any) -> int:
    """Return the number that a header's text is; 0 where it is none."""
    usable = isinstance(text, str) and len(text) < 19 and text.isascii() and text.isdecimal()
    return int(text) if usable else 0


@functools.cache
def _abandoned_requests() -> numpy.ndarray | None:
    """Return the table: numbers of requests (int64), each at its remainder by the table's length."""
    file = os.environ.get(ABANDONED)
    return numpy.memmap(file, dtype=numpy.int64, mode="r") if file else None
