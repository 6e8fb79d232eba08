"""Start TorchServe's own worker with our service envelope beside its envelopes, and a log of whole entries.

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
# Lines that TorchServe itself reads (WorkerLifeCycle.java) must stay as they are.
_PROTOCOL_STARTS = ("[PID]", "[METRICS]")
_PROTOCOL_END = "Torch worker started."
_EVERY_BATCH = "Backend received inference at: %d"
_LAST_WORDS = "Backend worker process died."
_LAST_WORDS_SECONDS, _GRACE_SECONDS = 2.0, 0.2


class LineFormatter(logging.Formatter):
    """Each record as one line, with its level, logger, request id and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, ASCII: Java takes more characters for the end of a line than Python does."""
        message = super().format(record).rstrip("\n")
        if message.startswith(_PROTOCOL_STARTS) or message.endswith(_PROTOCOL_END):
            return message
        severity = next((name for level, name in _SEVERITIES if record.levelno >= level), "DEBUG")
        fields = {"severity": severity, "logger": record.name, "message": message}
        if request_id := getattr(record, "request_id", None):
            fields["request_id"] = str(request_id)
        return LINE_MARK + json.dumps(fields)


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]  # no [TextIO] before Python 3.11
    """Writes to standard output; returns from the worker's last words when they were read.

    When the worker's socket closes, TorchServe closes this pipe with whatever is unread in it. The exception
    these words carry keeps the socket open until then.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        super().emit(record)
        if record.msg == _LAST_WORDS:
            unread, deadline = array("i", [1]), time.monotonic() + _LAST_WORDS_SECONDS
            while unread[0] and time.monotonic() < deadline:
                time.sleep(_GRACE_SECONDS)  # and what was read must be logged
                fcntl.ioctl(self.stream.fileno(), termios.FIONREAD, unread)


def log_lines() -> None:
    """Write what this process logs with `LineFormatter`; TorchServe's own set-up then does nothing."""
    handler = LineHandler(sys.stdout)
    handler.setFormatter(LineFormatter())
    # One line for every batch that says nothing; the access log has the requests.
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
        # TorchServe's own is the last line of its file; any other is the handler's.
        *_, (frame, _line) = traceback.walk_tb(end.__traceback__)
        if Path(frame.f_code.co_filename).name != Path(__file__).name:
            logging.exception(_LAST_WORDS)
        raise
