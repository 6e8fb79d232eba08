"""What a running server holds: memory and open files of each of its processes, and its temporary files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1 << 20


@dataclass(frozen=True)
class Held:
    """What one process holds.

    Attributes:
        rss_mib: Resident memory, shared pages in full.
        pss_mib: The same, with its share of the shared pages.
        descriptors: Open files, sockets and pipes.
    """

    rss_mib: float
    pss_mib: float
    descriptors: int


@dataclass(frozen=True)
class Footprint:
    """What a server holds at one moment.

    Attributes:
        processes: By name: `entrypoint`, `JVM`, `worker 1` and so on, in the order of their start.
        files: How many files its temporary folder has, sockets included.
    """

    processes: dict[str, Held]
    files: int


def footprint(entrypoint: psutil.Process, temporary: Path) -> Footprint:
    """Look at a server.

    Args:
        entrypoint: Its first process.
        temporary: The folder that its `TMPDIR` names, used by nobody else.

    Raises:
        psutil.NoSuchProcess: When one of its processes ended meanwhile.
    """
    held = {name: _held(process) for name, process in named_processes(entrypoint)}
    return Footprint(held, sum(len(files) for _, _, files in os.walk(temporary)))


def named_processes(entrypoint: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """A server's processes: `entrypoint`, `JVM`, `worker 1` and so on, in the order of their start.

    Args:
        entrypoint: Its first process.
    """
    yield "entrypoint", entrypoint
    workers = 0
    for child in sorted(entrypoint.children(recursive=True), key=lambda process: process.create_time()):
        command = child.cmdline()
        if any("model_service_worker" in word for word in command):
            workers += 1
            yield f"worker {workers}", child
        elif command and Path(command[0]).name == "java":
            yield "JVM", child


def _held(process: psutil.Process) -> Held:
    memory = process.memory_full_info()
    return Held(round(memory.rss / MIB, 2), round(memory.pss / MIB, 2), process.num_fds())
