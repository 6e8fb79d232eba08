"""Files and folders that are made beside their place, and moved there when they are complete.

Whoever makes one holds its lock until then. One that nobody holds was left by a process that was killed, and
the next that works in the same folder removes it.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def unfinished(make: Callable[[], Path]) -> Iterator[Path]:
    """A file or folder of this process alone; the block moves it or removes it.

    Args:
        make: Makes a new empty one, and returns its path.

    Yields:
        The path.

    Raises:
        OSError: When it can't be made.
    """
    while True:
        path = make()
        lock = os.open(path, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks: nothing is removed there, either
                fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():  # else another process took it for abandoned before it was locked
                yield path
                return
        finally:
            os.close(lock)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what processes that were killed have left in a folder.

    Args:
        folder: Where to look, not in its sub-folders.
        pattern: A glob pattern that fits names of unfinished files or folders only.
    """
    for path in folder.glob(pattern):
        with suppress(OSError):  # somebody holds it, or it is not ours to remove
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(lock)
