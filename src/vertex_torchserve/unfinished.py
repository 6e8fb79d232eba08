"""Files and folders that are made beside their place, and moved there when they are complete.

Whoever makes one holds its lock until then. One that nobody holds was left by a process that was killed, and
the next that works in the same folder removes it.
"""

import fcntl
import os
import shutil
import tempfile
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


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A new file `.NAME.*.part` beside `path`; when the block ends without an error it replaces `path`.

    Args:
        path: Where the file is to be; its folder must exist.

    Yields:
        The new file, empty.

    Raises:
        OSError: When it can't be made or moved; what was at `path` is still there.
    """
    with unfinished(lambda: _new_file(path)) as part:
        try:
            yield part
            part.chmod(0o644)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _new_file(path: Path) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(descriptor)
    return Path(name)


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
