"""One entry of the serving process's log, as JSON for Cloud Logging or as text for people.

The JSON fields are those Cloud Logging takes out of a container's standard output (structured logging:
`severity`, `time`, `message`); the rest becomes the entry's `jsonPayload`.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

# The layout of `as_text`, and of torchserve/log4j2.xml.
TEXT_LAYOUT = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\S+) \[(?P<severity>[A-Z]+) *\] "
    r"(?P<thread>.+?) (?P<logger>\S+) - (?P<message>.*)",
    re.DOTALL,
)
# Logger and thread of what the JVM prints itself, not through log4j.
JVM_LOGGER = "jvm"
# An entry of Cloud Logging holds 256 KB, and JSON may write one character as six.
_LONGEST_MESSAGE = 32_000


class LogEntry(NamedTuple):
    """What happened, once.

    Attributes:
        severity: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        time: RFC 3339, with its zone.
        logger: Where it comes from: a Java class, a Python logger, `MODEL_LOG` for what a worker prints.
        thread: The JVM's thread; `W-<port>-<model>_<version>-stdout` for the output of a worker.
        message: Any number of lines.
        request_id: The request it is about, as in the answer's `x-request-id`; empty for none.
    """

    severity: str
    time: str
    logger: str
    thread: str
    message: str
    request_id: str = ""

    def as_json(self) -> str:
        """One line of JSON."""
        fields = self._replace(message=_bounded(self.message))._asdict()
        if not self.request_id:
            del fields["request_id"]
        return json.dumps(fields)

    def as_text(self) -> str:
        """As many lines as the message has."""
        return f"{self.time} [{self.severity:<8}] {self.thread} {self.logger} - {_bounded(self.message)}"


def now() -> str:
    """The time as entries have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def entries_of_text(text: str) -> Iterator[LogEntry]:
    """Read a log that was written as text; lines before its first entry are none."""
    entry: LogEntry | None = None
    for line in text.splitlines():
        if match := TEXT_LAYOUT.fullmatch(line):
            if entry is not None:
                yield entry
            entry = LogEntry(**match.groupdict())
        elif entry is not None:
            entry = entry._replace(message=f"{entry.message}\n{line}")
    if entry is not None:
        yield entry


def _bounded(message: str) -> str:
    """The message, cut in its middle when it is too long: its cause stands at one of its ends."""
    if len(message) <= _LONGEST_MESSAGE:
        return message
    half = _LONGEST_MESSAGE // 2
    left_out = len(message) - 2 * half
    return f"{message[:half]}\n... {left_out} characters left out ...\n{message[-half:]}"
