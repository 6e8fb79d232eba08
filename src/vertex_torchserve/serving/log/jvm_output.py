"""The JVM's standard output as log entries.

log4j writes each event as one line (torchserve/log4j2.xml). Each line a worker prints is an event of the
logger `MODEL_LOG`. A record of the worker's Python logging is one such line with a mark
(envelope/model_service_worker.py); the lines of anything else, such as a traceback on standard error, are
joined here by thread. What the JVM itself prints has no layout.
"""

import contextlib
import fcntl
import json
import os
import re
import select
import sys
import time
from typing import IO

from vertex_torchserve.serving.envelope.model_service_worker import LINE_MARK
from vertex_torchserve.serving.log.entry import JVM_LOGGER, TEXT_LAYOUT, LogEntry, now

# How long an entry may wait for further lines; those of one traceback come within a millisecond.
_JOIN_SECONDS = 0.3
# So much of the log waits in the pipe before who writes must wait: some seven thousand requests.
_PIPE_BYTES = 1 << 20
# Lines that come in so short a time are read together: to wake up for each takes a core from the workers.
_TOGETHER_SECONDS = 0.03
_SEVERITIES = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}  # log4j's; the others are the same
_TRACEBACK = "Traceback (most recent call last)"
# What Python writes between two tracebacks of one chain of exceptions.
_CHAINED = ("another exception occurred:", "the direct cause of the following exception:")
_JVM_ERROR = re.compile(
    r"(Exception in |[\w.$]+(Exception|Error)\b|Error: |Terminating due to |Invalid conf|# )"
)
# What our Launcher prints once its ports are open.
LISTENING = "Model server started."


class EntryAssembler:
    """Makes entries of lines.

    An entry that may have more lines is held back until another entry begins, or for 0.3 s.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[float, LogEntry]] = {}  # by thread, with the time it is due

    def feed(self, line: str, at: float) -> list[LogEntry]:
        """Take in one line; returns the entries that are complete with it.

        Args:
            line: Without its end.
            at: The time, in monotonic seconds.
        """
        match = TEXT_LAYOUT.fullmatch(line)
        if match is None:
            return self._feed_plain(line, at)
        severity, logger, thread = match["severity"], match["logger"], match["thread"]
        entry = LogEntry(
            _SEVERITIES.get(severity, severity), match["time"], logger, thread, _decoded(match["message"])
        )
        if logger == "MODEL_LOG":
            return self._feed_worker(entry, at)
        if logger == "ACCESS_LOG":
            return [entry._replace(request_id=entry.message.rpartition(" ")[2].removeprefix("-"))]
        return [entry]

    def overdue(self, at: float) -> list[LogEntry]:
        """The held entries whose time is over.

        Args:
            at: The time, in monotonic seconds.
        """
        threads = [thread for thread, (due, _) in self._waiting.items() if due <= at]
        return [self._waiting.pop(thread)[1] for thread in threads]

    def rest(self) -> list[LogEntry]:
        """All entries that are still held."""
        return self.overdue(float("inf"))

    def _feed_worker(self, entry: LogEntry, at: float) -> list[LogEntry]:
        if entry.message.startswith(LINE_MARK):
            return [*self._taken(entry.thread), _unwrapped(entry)]
        if entry.message.startswith(_TRACEBACK) and not self._is_chained(entry.thread):
            complete = self._taken(entry.thread)
            self._wait(entry._replace(severity="ERROR"), at)
            return complete
        return [] if self._joined(entry.thread, entry.message) else [entry]

    def _feed_plain(self, line: str, at: float) -> list[LogEntry]:
        if line == LISTENING:
            return [*self._taken(JVM_LOGGER), LogEntry("INFO", now(), JVM_LOGGER, JVM_LOGGER, line)]
        if line.startswith((" ", "\t", "#", "Caused by: ")) and self._joined(JVM_LOGGER, line):
            return []
        complete = self._taken(JVM_LOGGER)
        if line.strip():
            severity = "ERROR" if _JVM_ERROR.match(line) else "INFO"
            self._wait(LogEntry(severity, now(), JVM_LOGGER, JVM_LOGGER, line), at)
        return complete

    def _wait(self, entry: LogEntry, at: float) -> None:
        self._waiting[entry.thread] = (at + _JOIN_SECONDS, entry)

    def _joined(self, thread: str, line: str) -> bool:
        """Add a line to the held entry of its thread, if there is one."""
        if thread not in self._waiting:
            return False
        due, entry = self._waiting[thread]
        self._waiting[thread] = (due, entry._replace(message=f"{entry.message}\n{line}"))
        return True

    def _is_chained(self, thread: str) -> bool:
        """Whether the held entry of a thread announces another traceback of the same chain."""
        return thread in self._waiting and self._waiting[thread][1].message.rstrip().endswith(_CHAINED)

    def _taken(self, thread: str) -> list[LogEntry]:
        waiting = self._waiting.pop(thread, None)
        return [waiting[1]] if waiting else []


class LogPipe:
    """Reads entries from the pipe that is the JVM's standard output.

    Args:
        pipe: The end to read from, unbuffered.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._file = pipe.fileno()
        self._pipe_bytes = _enlarged(self._file)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._assembler = EntryAssembler()
        self._begun = b""  # a line without its end
        self._next_read = 0.0  # not before this time, in monotonic seconds

    def read(self, timeout_seconds: float) -> list[LogEntry] | None:
        """The entries that came; none after `timeout_seconds` without any, None at the end of the log."""
        complete: list[LogEntry] = []
        if self._poll.poll(timeout_seconds * 1000):
            time.sleep(max(0.0, self._next_read - time.monotonic()))
            chunk = os.read(self._file, self._pipe_bytes)
            # What half fills the pipe is read on at once, so that nobody who writes must wait.
            is_much = len(chunk) > self._pipe_bytes // 2
            self._next_read = 0.0 if is_much else time.monotonic() + _TOGETHER_SECONDS
            if not chunk:
                rest = [*self._feed([self._begun] if self._begun else []), *self._assembler.rest()]
                self._begun = b""
                return rest or None
            *lines, self._begun = (self._begun + chunk).split(b"\n")
            complete = self._feed(lines)
        return [*complete, *self._assembler.overdue(time.monotonic())]

    def _feed(self, lines: list[bytes]) -> list[LogEntry]:
        at = time.monotonic()
        return [
            entry
            for line in lines
            for entry in self._assembler.feed(line.decode(errors="replace").rstrip("\r"), at)
        ]


def _enlarged(pipe: int) -> int:
    """Make a pipe larger where that may be done; returns how much it holds.

    One user may have so many large pipes, and not every system has them.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with contextlib.suppress(OSError):
            return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    return 64 << 10


def _decoded(message: str) -> str:
    """Undo log4j's `%enc{...}{JSON}`, which keeps an event in one line."""
    if "\\" not in message:
        return message
    try:
        decoded: str = json.loads(f'"{message}"')
    except ValueError:
        return message
    return decoded


def _unwrapped(entry: LogEntry) -> LogEntry:
    """The record in a marked line, with the time and the thread of the JVM's entry."""
    try:
        fields = json.loads(entry.message.removeprefix(LINE_MARK))
        # A handler may print anything.
        return entry._replace(**{name: str(value) for name, value in fields.items()})
    except (ValueError, TypeError, AttributeError):
        return entry
