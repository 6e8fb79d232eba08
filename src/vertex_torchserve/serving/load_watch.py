"""Watch TorchServe's log for a model that can't load or answer, and keep what says why.

TorchServe retries a failing load for five minutes while it calls itself healthy, and reports only
"Worker died."; the cause is in the worker's own lines, one log event for each line of a traceback.
"""

import re

# The layout of log4j2.xml beside this file: date, [LEVEL], thread, logger, " - ", message.
_EVENT = re.compile(r"^\S+ \[(?P<level>\w+) *\] (?P<thread>\S+) (?P<logger>\S+) - (?P<message>.*)$")
# WORKER_STARTED and WORKER_ERROR are the states before a model is loaded; a worker that dies later
# is disconnected in WORKER_MODEL_LOADED, and TorchServe starts another.
_LOAD_FAILED = re.compile(
    r"Load model failed: "
    r"|Failed to load model: "
    r"|Custom pip package installation failed "
    r"|Backend worker error"
    r"|\d+ Worker disconnected\. WORKER_(STARTED|ERROR)$"
)
# An exception's message may have several lines of any shape; these are what comes after it.
_AFTER_TRACEBACK = (
    "Backend worker process died",
    "During handling of the above exception",
    "The above exception was the direct cause",
    "s_name_part0=",  # the first line of the next worker
)
_MAX_TRACEBACK_LINES = 200
# One line of the envelope's for each request that failed (serving/envelope).
_REQUEST_FAILED = re.compile(r"request \S+ answered 5\d\d: (?P<trace>.*)$")


class LoadWatch:
    """Fed with every line of the log; knows whether the model failed to load, and why."""

    def __init__(self) -> None:
        self.failed = False
        self._reason = ""
        self._first_traceback: list[str] = []
        self._traceback_thread: str | None = None  # that still adds lines to it

    def feed(self, line: str) -> None:
        """Take in one line of TorchServe's standard output."""
        event = _EVENT.match(line)
        if event is None:
            return
        message = event["message"]
        if event["logger"] == "MODEL_LOG":
            self._collect_traceback(event["thread"], message)
        elif _LOAD_FAILED.match(message) and not self.failed:
            self.failed = True
            self._reason = message

    def reason(self) -> str:
        """The first traceback; without one, TorchServe's own words or what the first failed request says."""
        return "\n".join(self._first_traceback).rstrip() or self._reason

    def _collect_traceback(self, thread: str, message: str) -> None:
        if failed := _REQUEST_FAILED.match(message):
            self._reason = self._reason or failed["trace"]
        begins = message.startswith("Traceback (most recent call last)")
        if begins and not self._first_traceback:
            self._first_traceback.append(message)
            self._traceback_thread = thread
        elif thread == self._traceback_thread:
            if begins or message.startswith(_AFTER_TRACEBACK):
                self._traceback_thread = None
            elif len(self._first_traceback) < _MAX_TRACEBACK_LINES:
                self._first_traceback.append(message)
