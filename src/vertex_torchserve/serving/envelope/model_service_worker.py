"""Start TorchServe's own worker, with our service envelope added and each log record written as one line.

TorchServe runs this file instead of its own of the same name (`home.py`), with whatever Python the model
asks for: it needs the standard library and `ts`, never the rest of this package.
"""

import fcntl
import json
import logging
import runpy
import sys
import termios
import time
import traceback
from array import array
from pathlib import Path

# What a line begins with that is a log record as JSON (log/jvm_output.py reads it).
LINE_MARK = "vts-log "
_FOLDER = str(Path(__file__).resolve().parent)
_SEVERITIES = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
# TorchServe reads these lines (WorkerLifeCycle.java), so they are passed on unchanged.
_PROTOCOL_STARTS = ("[PID]", "[METRICS]")
_PROTOCOL_END = "Torch worker started."
_EVERY_BATCH = "Backend received inference at: %d"
# What TorchServe's worker logs, with the exception, before it ends.
_WORKER_DIED = "Backend worker process died."
_MOST_WAIT_SECONDS, _POLL_SECONDS = 2.0, 0.2


class LineFormatter(logging.Formatter):
    """Each record as one line, with its level, logger, request id and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; ASCII, because Java takes characters for the end of a line that Python doesn't."""
        message = super().format(record).rstrip("\n")
        if message.startswith(_PROTOCOL_STARTS) or message.endswith(_PROTOCOL_END):
            return message
        severity = next((name for level, name in _SEVERITIES if record.levelno >= level), "DEBUG")
        fields = {"severity": severity, "logger": record.name, "message": message}
        if request_id := getattr(record, "request_id", None):
            fields["request_id"] = str(request_id)
        return LINE_MARK + json.dumps(fields)


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]  # no [TextIO] before Python 3.11
    """Writes to standard output, and waits until TorchServe has read why the worker ends.

    TorchServe stops reading this pipe when the worker's socket closes, so a traceback that is still in it
    would be lost. While `emit` waits, the socket stays open: the traceback refers to the frame that holds it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; after the worker's last one, wait up to two seconds for the pipe to be empty."""
        super().emit(record)
        if record.msg == _WORKER_DIED:
            unread, deadline = array("i", [1]), time.monotonic() + _MOST_WAIT_SECONDS
            while unread[0] and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)  # before looking: TorchServe also needs time to log what it read
                fcntl.ioctl(self.stream.fileno(), termios.FIONREAD, unread)


def log_lines() -> None:
    """Write what this process logs with `LineFormatter`.

    TorchServe's worker calls `logging.basicConfig` too, which does nothing once there is a handler.
    """
    handler = LineHandler(sys.stdout)
    handler.setFormatter(LineFormatter())
    # TorchServe logs this for every batch; the access log already has a line for each request.
    handler.addFilter(lambda record: record.msg != _EVERY_BATCH)
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.captureWarnings(True)


def register_envelope() -> None:
    """Let `ts.torch_handler.request_envelope.instances` be imported in this process."""
    from ts.torch_handler import request_envelope

    if _FOLDER not in request_envelope.__path__:
        request_envelope.__path__.append(_FOLDER)


if __name__ == "__main__":
    # Python puts a script's folder first, where `instances` would shadow a module of the archive.
    sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]
    log_lines()
    register_envelope()
    try:
        runpy.run_module("ts.model_service_worker", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        # TorchServe's worker always ends with the `sys.exit` of its own file, which has this file's name. A
        # SystemExit from another file is the handler's, and nobody has logged it yet.
        *_, (frame, _line) = traceback.walk_tb(end.__traceback__)
        if Path(frame.f_code.co_filename).name != Path(__file__).name:
            logging.exception(_WORKER_DIED)
        raise
