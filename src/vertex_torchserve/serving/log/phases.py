"""How long our server took for each part of its start, by its text log, for the program that started it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from vertex_torchserve.serving.log.entry import LogEntry, entries_of_text
from vertex_torchserve.serving.log.jvm_output import LISTENING

# What ends each part, in their order. TorchServe installs requirements before it opens its port.
_ENDS = (
    ("fetch", re.compile(r"found .*: \d+ bytes")),
    ("unpack", re.compile(r"unpacked .*: \d+ bytes")),
    ("JVM", re.compile(r"Created virtual environment for model ")),
    ("install", re.compile(r"Installed custom pip packages for model ")),
    ("JVM", re.compile(re.escape(LISTENING))),
    ("load", re.compile(r"the model is loaded after ")),
    ("golden", re.compile(r"ready after ")),
)
_GOLDEN_BEGINS = "sending the golden request"
_WORKER = "W-"  # threads that pass on what a worker prints, which may be anything
_SIZING = re.compile(r"serving with (\d+) workers of (\d+) threads, batches of (\d+)")
_PROBLEMS = frozenset({"WARNING", "ERROR", "CRITICAL"})


@dataclass(frozen=True)
class Phase:
    """A part of the server's start.

    Attributes:
        name: `fetch` (Python starts, the archive is found), `unpack` (its members are read, checked and
            written), `install` (its requirements), `JVM` (TorchServe starts and opens its port), `load`
            (every worker loads the model), `golden` (the golden request) or `first answer`.
        seconds: How long it took.
        ended: Whether it came to its end; False for the phase in which the server failed.
    """

    name: str
    seconds: float
    ended: bool = True


@dataclass(frozen=True)
class ServerLog:
    """What the log of one server says.

    Attributes:
        phases: In their order, from the start to ready.
        sizing: Workers, threads and batches; empty when the log does not say.
        problems: Warnings and errors.
    """

    phases: tuple[Phase, ...]
    sizing: str
    problems: tuple[LogEntry, ...]

    @classmethod
    def of(cls, text: str, started_at: datetime, ended_at: datetime) -> "ServerLog":
        """Read a log that was written as text.

        Args:
            text: All of it.
            started_at: When the server's process was started.
            ended_at: When it was ready, or had failed.
        """
        entries = list(entries_of_text(text))
        sizing = next(filter(None, (_SIZING.match(entry.message) for entry in entries)), None)
        problems = tuple(entry for entry in entries if entry.severity in _PROBLEMS)
        phases = tuple(_phases(entries, started_at, ended_at)) if entries else ()
        return cls(phases, _sizing(*map(int, sizing.groups())) if sizing else "", problems)


def _phases(entries: Iterable[LogEntry], started_at: datetime, ended_at: datetime) -> Iterator[Phase]:
    durations: dict[str, float] = {}
    at, to_come, has_golden = started_at, list(_ENDS), False
    for entry in entries:
        if entry.thread.startswith(_WORKER):
            continue
        has_golden |= entry.message == _GOLDEN_BEGINS
        reached = next((number for number, end in enumerate(to_come) if end[1].match(entry.message)), None)
        if reached is not None:
            time = datetime.fromisoformat(entry.time)
            _add(durations, to_come[reached][0], at, time)
            at, to_come = time, to_come[reached + 1 :]
    begun = to_come[0][0] if to_come else ""
    if begun:
        _add(durations, begun, at, ended_at)
    for name, seconds in durations.items():
        if name != "golden" or has_golden:
            yield Phase(name, round(seconds, 3), ended=name != begun)


def _add(durations: dict[str, float], name: str, begin: datetime, end: datetime) -> None:
    durations[name] = durations.get(name, 0.0) + (end - begin).total_seconds()


def _sizing(workers: int, threads: int, batch: int) -> str:
    each = f"{threads} thread{'s' * (threads != 1)}"
    return f"{workers} worker{'s' * (workers != 1)} of {each}, batches of {batch}"
