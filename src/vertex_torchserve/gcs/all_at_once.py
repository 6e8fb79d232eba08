"""A folder whose files appear all at once, or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vertex_torchserve.unfinished import remove_abandoned, unfinished


@contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """A private folder in `destination` whose files move up into it when the block ends well.

    It lies inside, so that moving is a rename even where `destination` is a mount of its own. When the block
    raises, everything made here is removed again, and nothing else.

    Args:
        destination: Made when missing, with the folders above it. The files staged must not exist in it yet.

    Yields:
        The private folder.

    Raises:
        OSError: When the folders can't be made.
    """
    made: list[Path] = []
    try:
        _make(destination, made)
        remove_abandoned(destination, ".vts-*.part")
        with unfinished(lambda: _new_folder(destination)) as staging:
            try:
                yield staging
                _publish(staging, destination, made)
            finally:
                shutil.rmtree(staging)
    except BaseException:
        _remove(made)
        raise


def _new_folder(destination: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=".vts-", suffix=".part", dir=destination))


def _publish(staging: Path, destination: Path, made: list[Path]) -> None:
    for source in sorted(path for path in staging.rglob("*") if path.is_file()):
        target = destination / source.relative_to(staging)
        _make(target.parent, made)
        source.rename(target)
        made.append(target)


def _make(folder: Path, made: list[Path]) -> None:
    if not folder.is_dir():
        _make(folder.parent, made)
        folder.mkdir(exist_ok=True)
        made.append(folder)


def _remove(made: list[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):  # another program has put a file into a folder that was made here
            path.rmdir() if path.is_dir() else path.unlink()
