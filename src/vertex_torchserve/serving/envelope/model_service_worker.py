"""Start TorchServe's own worker, with our service envelope added and each log record written as one line.

TorchServe runs this file instead of its own of the same name (`home.py`), with whatever Python the model
asks for: it needs the standard library and `ts`, never the rest of this package.
"""

import fcntl
import functools
import io
import json
import logging
import os
import re
import runpy
import sys
import termios
import time
import traceback
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What a line begins with that is a log record as JSON (log/jvm_output.py reads it).
LINE_MARK = "vts-log "
# The logger of the record that says why the model could not be loaded (log/load_failure.py reads it).
LOAD_LOGGER = "vertex_torchserve.load"
_ENVELOPE = "ts.torch_handler.request_envelope.instances"
_LOAD_FAILED = "the model could not be loaded"
_FOLDER = str(Path(__file__).resolve().parent)
_SEVERITIES = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
# TorchServe reads these lines (WorkerLifeCycle.java), so they are passed on unchanged.
_PROTOCOL_STARTS = ("[PID]", "[METRICS]")
_PROTOCOL_END = "Torch worker started."
_EVERY_BATCH = "Backend received inference at: %d"
_BATCH_GAUGE = "[METRICS]PredictionTime."
# What TorchServe's worker logs, with the exception, before it ends.
WORKER_DIED = "Backend worker process died."
# What it logs of some failed loads; a record of `LOAD_LOGGER` has said it.
_LOAD_FAILED_TOO = (
    "Failed to load model %s, exception %s",
    "Load model %s cpu OOM, exception %s",
    "Load model %s cuda OOM, exception %s",
)
# How long a line may be, in bytes. TorchServe looks for the end of a line from its beginning at each read, so
# that 20 MB without one would keep it, and with it the worker, busy for most of a minute.
MOST_LINE_BYTES = 65_536
_LINE_END = re.compile(rb"[\r\n]")  # Java takes both for one
# The files that call `sys.exit`: TorchServe's worker when it can't go on, which it logs, and ours when the
# JVM has closed the connection, as it does when the server stops.
_KNOWN_EXITS = {Path(__file__).name, "buffered_messages.py"}
_MOST_WAIT_SECONDS, _POLL_SECONDS = 2.0, 0.2


class BoundedLines(io.RawIOBase):
    """Writes to a file and cuts lines that are too long; a note at their end says how much is missing.

    Args:
        file: The file's descriptor, which stays open.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._kept = 0  # bytes of the line that is written
        self._cut = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._file

    def write(self, data: Any) -> int:
        """Write all of `data` that is not cut; returns its length."""
        text = bytes(data)
        pieces: list[bytes] = []
        begin = 0
        while begin < len(text):
            match = _LINE_END.search(text, begin)
            end = match.start() if match else len(text)
            kept = text[begin : min(end, begin + MOST_LINE_BYTES - self._kept)]
            pieces.append(kept)
            self._kept += len(kept)
            self._cut += end - begin - len(kept)
            if match:
                pieces += [b" ... (%d more bytes)" % self._cut if self._cut else b"", match.group()]
                self._kept = self._cut = 0
                end += 1
            begin = end
        # In one piece, so that what threads write at the same time is not mixed within a line.
        whole = memoryview(b"".join(pieces))
        while whole:
            whole = whole[os.write(self._file, whole) :]
        return len(text)


class OnceASecond(logging.Filter):
    """Lets one record a second pass of those that begin with a text.

    For a line of TorchServe's that sets a gauge after every batch: each line wakes a thread of the JVM.

    Args:
        start: The beginning of the records' messages; others pass.
    """

    def __init__(self, start: str) -> None:
        super().__init__()
        self._start = start
        self._due = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        if not str(record.msg).startswith(self._start):
            return True
        at = time.monotonic()
        if at < self._due:
            return False
        self._due = at + 1.0
        return True


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
        line, characters = LINE_MARK + json.dumps(fields), MOST_LINE_BYTES
        while len(line) > MOST_LINE_BYTES:
            characters //= 2
            fields["message"] = _shortened(message, characters)
            line = LINE_MARK + json.dumps(fields)
        return line


def _shortened(text: str, characters: int) -> str:
    """The first three quarters and the last quarter, where a traceback names the exception."""
    last = characters // 4
    left_out = len(text) - characters
    return f"{text[: characters - last]} ... ({left_out} characters left out) ... {text[len(text) - last :]}"


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]  # no [TextIO] before Python 3.11
    """Writes to standard output, and waits until TorchServe has read why the worker ends.

    TorchServe stops reading this pipe when the worker's socket closes, so a traceback that is still in it
    would be lost. While `emit` waits, the socket stays open: the traceback refers to the frame that holds it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; after one of the worker's end, wait up to two seconds for the pipe to be empty."""
        super().emit(record)
        if record.msg in (WORKER_DIED, _LOAD_FAILED):
            unread, deadline = array("i", [1]), time.monotonic() + _MOST_WAIT_SECONDS
            while unread[0] and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)  # before looking: TorchServe also needs time to log what it read
                fcntl.ioctl(self.stream.fileno(), termios.FIONREAD, unread)


def log_lines() -> LineHandler:
    """Write what this process logs with `LineFormatter`; returns the handler that does so.

    TorchServe's worker calls `logging.basicConfig` too, which does nothing once there is a handler.
    """
    handler = LineHandler(sys.stdout)
    handler.setFormatter(LineFormatter())
    # TorchServe logs the first for every batch; the access log already has a line for each request.
    handler.addFilter(lambda record: record.msg not in (_EVERY_BATCH, *_LOAD_FAILED_TOO))
    handler.addFilter(OnceASecond(_BATCH_GAUGE))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.captureWarnings(True)
    envelope = logging.getLogger(_ENVELOPE)  # what becomes of its records is not the handler's to change
    envelope.addHandler(handler)
    envelope.setLevel(logging.INFO)
    envelope.propagate = False
    return handler


def report_failed_loads(handler: logging.Handler) -> None:
    """Have each failed load written as one record of `LOAD_LOGGER`, with the whole chain of exceptions.

    TorchServe logs a RuntimeError and raises another in its place, logs any other exception when the worker
    has died of it, and neither reaches the log when the model's code has changed what Python logs.

    Args:
        handler: Writes the record.
    """
    from ts.model_loader import TsModelLoader

    load: Callable[..., Any] = TsModelLoader.load

    @functools.wraps(load)
    def reported(loader: Any, model: str, folder: str, entry: str, *rest: Any, **named: Any) -> Any:
        try:
            return load(loader, model, folder, entry, *rest, **named)
        except BaseException as error:
            cause = _without_the_other_import(error, entry)
            handler.handle(
                logging.makeLogRecord(
                    {
                        "name": LOAD_LOGGER,
                        "levelno": logging.ERROR,
                        "msg": _LOAD_FAILED,
                        "exc_info": (type(cause), cause, cause.__traceback__),
                    }
                )
            )
            raise

    TsModelLoader.load = reported


def _without_the_other_import(error: BaseException, entry: str) -> BaseException:
    """The chain of a failed load without TorchServe's search for the handler.

    TorchServe imports `entry` from the archive and, when that is an ImportError, from its own handlers
    (`ts/model_loader.py`). Only one of the two attempts is about the handler that was meant.
    """
    if not _passed_through(error, "_load_default_handler"):
        return error
    last = error
    while last.__context__ is not None and not _passed_through(last.__context__, "_load_handler_file"):
        last = last.__context__
    first = last.__context__
    module = entry.partition(":")[0].removesuffix(".py").rpartition("/")[2]
    if isinstance(error, ModuleNotFoundError) and error.name == f"ts.torch_handler.{entry.partition('.')[0]}":
        return first or error
    if isinstance(first, ModuleNotFoundError) and first.name == module:
        last.__context__ = None
    return error


def _passed_through(error: BaseException, function: str) -> bool:
    return any(frame.f_code.co_name == function for frame, _ in traceback.walk_tb(error.__traceback__))


def bound_lines() -> None:
    """Let what this process prints be cut into lines of a bounded length."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        bounded = io.TextIOWrapper(
            BoundedLines(stream.fileno()),  # type: ignore[type-var]  # as Python's own with PYTHONUNBUFFERED
            encoding=stream.encoding,
            errors=stream.errors,
            write_through=True,
        )
        setattr(sys, name, bounded)


def register_envelope() -> None:
    """Let `ts.torch_handler.request_envelope.instances` be imported in this process."""
    from ts.torch_handler import request_envelope

    if _FOLDER not in request_envelope.__path__:
        request_envelope.__path__.append(_FOLDER)


def prepare_torchserve() -> None:
    """Let TorchServe read messages our way and without torch, and not collect what lasts."""
    from ts.torch_handler.request_envelope import (
        buffered_messages,
        direct_connection,
        lasting_objects,
        torch_when_imported,
    )

    messages = torch_when_imported.import_without_torch("ts.protocol.otf_message_handler")
    messages._retrieve_buffer = buffered_messages.BufferedMessages().read
    messages.retrieve_msg = direct_connection.DirectConnection(messages.retrieve_msg).retrieve_msg
    from ts.model_loader import TsModelLoader  # earlier, it would import torch

    lasting_objects.leave_out_lasting_objects(TsModelLoader)


if __name__ == "__main__":
    # Python puts a script's folder first, where `instances` would shadow a module of the archive.
    sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]
    bound_lines()
    line_handler = log_lines()
    register_envelope()
    prepare_torchserve()
    report_failed_loads(line_handler)
    try:
        runpy.run_module("ts.model_service_worker", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        # A SystemExit from another file is the handler's, and nobody has logged it yet.
        *_, (frame, _line) = traceback.walk_tb(end.__traceback__)
        if Path(frame.f_code.co_filename).name not in _KNOWN_EXITS:
            logging.exception(WORKER_DIED)
        raise
