"""Find in our server's text log why it failed, for the program that started the server."""

import time
from collections.abc import Callable

from vertex_torchserve.serving.log.entry import entries_of_text
from vertex_torchserve.serving.log.load_failure import LoadWatch

_LATENESS_SECONDS = 2.0
_POLL_SECONDS = 0.1
_OWN_LOGGERS = "vertex_torchserve."


def failure_reason(read_log: Callable[[], str], request_id: str) -> str:
    """Why a request failed, or else the model; empty when nothing says so.

    Asks for up to two seconds: a failed request's answer may arrive before the worker's log entry about it.

    Args:
        read_log: Returns the whole log so far.
        request_id: The answer's `x-request-id`; empty when it has none.
    """
    deadline = time.monotonic() + _LATENESS_SECONDS
    while True:
        watch = LoadWatch()
        for entry in entries_of_text(read_log()):
            watch.feed(entry)
        if (reason := watch.reason_of(request_id)) or time.monotonic() > deadline:
            return reason
        time.sleep(_POLL_SECONDS)


def last_error(log: str) -> str:
    """The last error of the entrypoint itself, which says why it ended; empty when there is none."""
    errors = [
        entry.message
        for entry in entries_of_text(log)
        if entry.severity == "ERROR" and entry.logger.startswith(_OWN_LOGGERS)
    ]
    return errors[-1].strip() if errors else ""
