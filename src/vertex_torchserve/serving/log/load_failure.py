"""Tell from TorchServe's log that a model can't load, and why.

TorchServe retries a failing load for five minutes, answers `/ping` with "Healthy" meanwhile, and reports only
"Worker died."; the cause is in what the worker printed before.
"""

import re

from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.settings import STARTUP_TIMEOUT_SECONDS

_TORCHSERVE = "org.pytorch.serve."
# What TorchServe logs when a load fails. A worker that ends before its model is loaded is "disconnected" in
# the state WORKER_STARTED or WORKER_ERROR; one that ends later, in WORKER_MODEL_LOADED, is replaced.
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
# The first traceback of a chain of exceptions: when the handler's import fails, TorchServe tries to import it
# in another way, and the exceptions that follow are about that. From a worker without our formatter the next
# line of the log, or the next traceback, comes joined to it, so the match ends before those.
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\).*?"
    r"(?=\s+During handling of the above exception|\s+The above exception was the direct cause"
    r"|\nBackend worker process died|\nTraceback \(most recent call last\)|\s*\Z)",
    re.DOTALL,
)
# What the envelope logs for each request that failed (envelope/instances/batch.py).
_REQUEST_FAILED = re.compile(r"request \S+ answered 5\d\d: (?P<trace>.*)$")


class LoadWatch:
    """Takes in every entry of the log; tells whether the model failed to load, and why.

    Attributes:
        failed: Whether TorchServe has reported a failed load.
    """

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
        """The worker's first traceback, else TorchServe's message or that of the first failed request."""
        return self._first_traceback or self._reason
