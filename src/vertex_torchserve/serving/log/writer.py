"""Where the log goes: standard output, as JSON lines, or as text on a terminal."""

import logging
import sys
import threading
from typing import TextIO

from vertex_torchserve.serving.log.entry import LogEntry, now
from vertex_torchserve.serving.settings import LOG_FORMATS

_OWN_LOGGER = "vertex_torchserve"


class LogWriter:
    """Writes entries, from any thread, each at once.

    Args:
        log_format: `json` or `text`; anything else: text on a terminal, JSON elsewhere.
        stream: Where to; standard output unless told otherwise.
    """

    def __init__(self, log_format: str, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        if log_format not in LOG_FORMATS:
            log_format = "text" if self._stream.isatty() else "json"
        self._written_as = LogEntry.as_text if log_format == "text" else LogEntry.as_json
        self._lock = threading.Lock()

    def write(self, *entries: LogEntry) -> None:
        """Write entries in this order, with no other between them."""
        text = "".join(f"{self._written_as(entry)}\n" for entry in entries)
        if text:
            with self._lock:
                self._stream.write(text)
                self._stream.flush()


class _EntryHandler(logging.Handler):
    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())  # not basicConfig's, which repeats level and name
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write what this process itself logs."""
        try:
            entry = LogEntry(
                record.levelname, now(), record.name, record.threadName or "", self.format(record)
            )
            self._writer.write(entry)
        except Exception:
            self.handleError(record)


def log_to(writer: LogWriter) -> None:
    """Write what this process logs through Python's `logging`: our records from INFO on, others from WARNING.

    Args:
        writer: Gets the entries.
    """
    logging.basicConfig(handlers=[_EntryHandler(writer)], level=logging.WARNING)
    logging.getLogger(_OWN_LOGGER).setLevel(logging.INFO)
    logging.captureWarnings(True)
