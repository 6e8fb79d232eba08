"""What a failed query becomes: a status and a message for the client, a line in the log."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, NoReturn

import torch

from hf_handler.items import Item, Query
from hf_handler.schema import Refused

logger = logging.getLogger(__name__)
# Most clients read 8 kB of all headers together.
_MOST_TRUNCATED = 2000


def each(queries: Sequence[Query], make: Callable[[Query], list[Item]]) -> list[list[Item]]:
    """Make the items of each query; one that can't be made is refused.

    What a processor raises for a file that could be opened is the file's fault: the example passed at load.
    """
    work: list[list[Item]] = []
    for query in queries:
        try:
            query.allowance.check_time()
            work.append(make(query))
        except Refused as error:
            query.failure = error
            work.append([])
        except Exception as error:
            log_failure(error)
            query.failure = Refused("the model's processor can't use it: does its size or shape fit?", 422)
            work.append([])
    return work


def positions_of(requests: Sequence[int | None]) -> list[int]:
    """Return the index of each instance within its request."""
    seen: dict[int | None, int] = {}
    positions = []
    for request in requests:
        positions.append(seen.get(request, 0))
        seen[request] = positions[-1] + 1
    return positions


def failure_of(error: Exception, position: int) -> tuple[int, str]:
    """Return the status of a failure and what the client reads."""
    if isinstance(error, Refused):
        return error.status, f"instance {position}: {error}"
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return HTTPStatus.INSUFFICIENT_STORAGE, f"instance {position}: out of memory"
    return HTTPStatus.INTERNAL_SERVER_ERROR, f"instance {position}: the prediction failed"


def first_failure(queries: Sequence[Query]) -> tuple[int, str] | None:
    """Return the first failure of one request's queries, if any; logs what is no client's mistake."""
    for position, query in enumerate(queries):
        if query.failure is not None:
            if not isinstance(query.failure, Refused):
                log_failure(query.failure)
            return failure_of(query.failure, position)
    return None


def log_failure(error: Exception) -> None:
    """Log where an exception came from, without its message: that may quote the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"
    logger.error("%s at %s", type(error).__name__, place)


def raise_failure(error: Exception, position: int) -> NoReturn:
    """Fail the whole call: with a status where TorchServe is there to send it.

    Raises:
        PredictionException: The client's mistake; `Refused` where TorchServe is not installed.
        Exception: Any other failure, as it is.
    """
    if not isinstance(error, Refused):
        raise error
    status, message = failure_of(error, position)
    try:
        from ts.utils.util import PredictionException
    except ImportError:
        raise Refused(message, status) from None
    raise PredictionException(message, status)


def refuse_request(context: Any, index: int, status: int, message: str) -> Any:
    """Set the status of one request; returns its body."""
    context.set_response_status(int(status), HTTPStatus(status).phrase, index)
    return {"error": {"code": int(status), "message": message}}


def report_truncated(queries: Sequence[Query], positions: Sequence[int], context: Any) -> None:
    """Name the instances whose text was cut, by their index in the request, in the header `x-truncated`.

    Neighbours are named together: `0-2,5`. A list that would be too long for a header ends in `...`.
    """
    cut: dict[int, list[int]] = {}
    for query, position in zip(queries, positions, strict=True):
        if query.truncated:
            if query.request is None:
                logger.warning(
                    "a text was cut; this service envelope doesn't tell whose, so no header says so"
                )
            else:
                cut.setdefault(query.request, []).append(position)
    for request, indices in cut.items():
        context.set_response_header(request, "x-truncated", _ranges(sorted(indices)))


def _ranges(indices: Sequence[int]) -> str:
    """Numbers in order, as `0-2,5`; at most `_MOST_TRUNCATED` characters."""
    text = ""
    begin = 0
    while begin < len(indices):
        end = begin
        while end + 1 < len(indices) and indices[end + 1] == indices[end] + 1:
            end += 1
        first, last = indices[begin], indices[end]
        separator = "," if text else ""
        part = f"{separator}{first}" if first == last else f"{separator}{first}-{last}"
        if len(text) + len(part) + len(",...") > _MOST_TRUNCATED:
            return f"{text},..."
        text += part
        begin = end + 1
    return text
