"""Watch TorchServe's log for a model that can't load or answer, and keep what says why.

TorchServe retries a failing load for five minutes while it calls itself healthy, and reports only
"Worker died."; the cause is what the worker said.
"""

import re

from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.settings import STARTUP_TIMEOUT_SECONDS

_TORCHSERVE = "org.pytorch.serve."
# WORKER_STARTED and WORKER_ERROR are the states before a model is loaded; a worker that dies later
# is disconnected in WORKER_MODEL_LOADED, and TorchServe starts another.
_LOAD_FAILED = re.compile(
    r"Load model failed: "
    r"|Failed to load model: "
    r"|Custom pip package installation failed "
    r"|Backend worker error(?P<late>\s.*Backend worker did not respond in given time)?"
    r"|(?P<silent>\d+ Worker disconnected\. WORKER_(STARTED|ERROR)$)"
)
_SILENT = (
    "a worker process ended while it loaded the model and did not say why: it was killed, for lack of memory "
    "perhaps, it crashed outside of Python, or the handler ended it"
)
_LATE = (
    "a worker did not load the model in the time it has, `startupTimeout` of the archive's model-config.yaml "
    f"({STARTUP_TIMEOUT_SECONDS} s when that says nothing): the handler hangs, or needs longer"
)
# The first of a chain of exceptions is the cause: TorchServe tries a handler's name a second way when its
# import fails, and raises about that. Without our formatter, what comes next is joined to a traceback too.
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\).*?"
    r"(?=\s+During handling of the above exception|\s+The above exception was the direct cause"
    r"|\nBackend worker process died|\nTraceback \(most recent call last\)|\s*\Z)",
    re.DOTALL,
)
# One entry of the envelope's for each request that failed (serving/envelope).
_REQUEST_FAILED = re.compile(r"request \S+ answered 5\d\d: (?P<trace>.*)$")


class LoadWatch:
    """Fed with every entry of the log; knows whether the model failed to load, and why."""

    def __init__(self) -> None:
        self.failed = False
        self._reason = ""
        self._first_traceback = ""

    def feed(self, entry: LogEntry) -> None:
        """Take in one entry of TorchServe's log."""
        if entry.logger.startswith(_TORCHSERVE):
            if not self.failed and (failed := _LOAD_FAILED.match(entry.message)):
                self.failed = True
                self._reason = _SILENT if failed["silent"] else _LATE if failed["late"] else entry.message
        elif not self._first_traceback and (traceback := _TRACEBACK.search(entry.message)):
            self._first_traceback = traceback[0]
        elif not self._reason and (request := _REQUEST_FAILED.match(entry.message)):
            self._reason = request["trace"]

    def reason(self) -> str:
        """The first traceback; without one, TorchServe's own words or what the first failed request says."""
        return self._first_traceback or self._reason
