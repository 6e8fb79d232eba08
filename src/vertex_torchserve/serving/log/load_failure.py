"""Tell from TorchServe's log that a model can't load, and why.

TorchServe retries a failing load for five minutes, answers `/ping` with "Healthy" meanwhile, and reports only
"Worker died."; the cause is in what the worker printed before.
"""

import re

from vertex_torchserve.serving.envelope.model_service_worker import LOAD_LOGGER, WORKER_DIED
from vertex_torchserve.serving.log.entry import JVM_LOGGER, LogEntry
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
_TRACEBACK = "Traceback (most recent call last)"
# A worker that its JVM has left ends so (`ts/protocol/otf_message_handler.py`).
_LEFT_BY_ITS_JVM = "in _retrieve_buffer\n"
# What the envelope logs for each request that failed (envelope/instances/batch.py).
_REQUEST_FAILED = re.compile(r"request (?P<id>\S+) answered [45]\d\d: (?P<trace>.*)", re.DOTALL)


class LoadWatch:
    """Takes in every entry of the log; tells whether the model failed to load, and why.

    Attributes:
        failed: Whether TorchServe has reported a failed load.
    """

    def __init__(self) -> None:
        self.failed = False
        self._said_by_torchserve = ""
        self._cause = ""  # the chain of exceptions with which the load failed, or the worker died
        self._printed = ""  # the last traceback that is no record, such as one of a process that ends
        self._failed_requests: dict[str, str] = {}  # by request id
        self._jvm_error = ""

    def feed(self, entry: LogEntry) -> None:
        """Take in one entry of TorchServe's log."""
        if entry.logger.startswith(_TORCHSERVE):
            if not self.failed and (failed := _LOAD_FAILED.match(entry.message)):
                self.failed = True
                self._said_by_torchserve = (
                    _SILENT if failed["silent"] else _LATE if failed["late"] else entry.message
                )
        elif entry.logger == JVM_LOGGER:
            self._jvm_error = entry.message if entry.severity == "ERROR" else self._jvm_error
        elif request := _REQUEST_FAILED.match(entry.message):
            self._failed_requests.setdefault(request["id"], request["trace"])
        elif entry.message.startswith(_TRACEBACK):
            self._printed = entry.message
        elif not self._cause and _tells_the_end(entry) and _LEFT_BY_ITS_JVM not in entry.message:
            self._cause = entry.message.partition("\n")[2]

    def reason(self) -> str:
        """Why the load failed or a worker died: its exceptions, else TorchServe's message; or nothing."""
        if self._cause or not self._said_by_torchserve:
            return self._cause
        printed = f"the last traceback that it printed:\n{self._printed}" if self._printed else ""
        return f"{self._said_by_torchserve}\n{printed}".rstrip()

    def reason_of_the_jvm(self) -> str:
        """Why the JVM ended by itself: its own last error, else that of the model."""
        return self._jvm_error or self.reason()

    def reason_of(self, request_id: str) -> str:
        """Why a request failed: its own entry, else why its worker died.

        Args:
            request_id: Its `x-request-id`; empty for the first that failed.
        """
        if not request_id and self._failed_requests:
            return next(iter(self._failed_requests.values()))
        return self._failed_requests.get(request_id) or self.reason()


def _tells_the_end(entry: LogEntry) -> bool:
    """Whether a worker says in this entry why the load failed, or why it ends."""
    return entry.logger == LOAD_LOGGER or entry.message.startswith(f"{WORKER_DIED}\n")
