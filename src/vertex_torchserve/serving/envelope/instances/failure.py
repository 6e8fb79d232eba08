"""What a handler's exception means for the request: status, message, and one line for the log."""

import os
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from ts.utils.util import PredictionException

from .answer_head import UnusableHeadError
from .response import UnusablePredictionsError


class Failure(NamedTuple):
    """Why a request failed.

    Attributes:
        status: The HTTP status.
        message: What the client reads.
        trace: What the log says, in one line: exceptions and where they came from.
    """

    status: int
    message: str
    trace: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Read an exception the way TorchServe does (`ts/service.py`), but for 500 where it says 503.

        A handler chooses status and message with `ts.utils.util.PredictionException`. 503 would tell Vertex
        AI and every client to send the same request again.
        """
        trace = " <- ".join(_trace_lines(error))
        if isinstance(error, PredictionException):
            return cls(_error_status(error.error_code), str(error.message), trace)
        if isinstance(error, UnusableHeadError | UnusablePredictionsError):
            return cls(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), trace)
        if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "CUDA" in str(error)):
            return cls(HTTPStatus.INSUFFICIENT_STORAGE, "out of memory", trace)
        return cls(HTTPStatus.INTERNAL_SERVER_ERROR, "the prediction failed", trace)

    @classmethod
    def named(cls, failure: Any) -> "Failure":
        """Read what a handler put into `context.instance_failures` for an instance: status and message."""
        trace = "the handler refused an instance"
        if not isinstance(failure, tuple | list) or len(failure) != 2:
            return cls(HTTPStatus.INTERNAL_SERVER_ERROR, "the prediction failed", trace)
        status, message = failure
        return cls(_error_status(status), str(message), trace)


def _error_status(code: Any) -> int:
    """A status that a handler chose, where it is one of an error; else 500."""
    if isinstance(code, int) and 400 <= code < 600:
        return int(code)
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _trace_lines(error: BaseException) -> Iterator[str]:
    """Each exception of the chain, the last one first.

    Without their messages, which often quote the request, unless `VTS_LOG_EXCEPTION_MESSAGES=1` asks for
    them.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        name = type(cause).__qualname__
        if os.environ.get("VTS_LOG_EXCEPTION_MESSAGES") == "1":
            name = f"{name}({str(cause)!r})"
        frames = [
            f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
            for frame, line in traceback.walk_tb(cause.__traceback__)
        ]
        yield " ".join([name, "at", " > ".join(frames)])
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
