"""How many bytes a call reads from files, with every process that it starts and waits for."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_FORKS = multiprocessing.get_context("forkserver")


def bytes_read_by(call: Callable[..., object], *arguments: Any) -> int:
    """Run a call in a process of its own and count what it and its children read.

    `rchar` of proc(5): bytes that were read, copied within the system (`copy_file_range`) or sent from a file
    (`sendfile`), from the disk or from the page cache. What comes over a socket is not in it, nor what is
    mapped. A process that has ended is counted in the one that waited for it, so that adding up a tree counts
    it twice.

    Args:
        call: A function of a module, which a new process can import.
        arguments: Its arguments, which can be pickled.

    Raises:
        AssertionError: The call raised; what, is on the standard error.
    """
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_counted, args=(theirs, call, arguments))
    process.start()
    theirs.close()
    try:
        found: int = ours.recv()
    except EOFError:
        raise AssertionError(f"{call.__qualname__} failed") from None
    finally:
        process.join()
    return found


def _counted(result: Connection, call: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    before = _read_so_far()
    call(*arguments)
    result.send(_read_so_far() - before)


def _read_so_far() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.removeprefix("rchar: ")) for line in lines if line.startswith("rchar: "))
