"""Local copies of what gs:// paths name, and errors that name the path and not the copy."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from vertex_torchserve import gcs
from vertex_torchserve.errors import InputError, Problem


class LocalCopies:
    """Copies of what gs:// paths name; a local path is its own.

    Args:
        staging: A private folder; each path gets a folder of its own in it.
    """

    def __init__(self, staging: Path) -> None:
        self._staging = staging
        self._origins: dict[Path, str] = {}

    def of(self, path: str, *, ignore: Sequence[str] = ()) -> Path:
        """The local file or folder for a path.

        Args:
            path: A local path, or the gs:// path of a folder or an object.
            ignore: Names and glob patterns of what in a gs:// folder is not downloaded.

        Raises:
            InputError: When a gs:// path names nothing, or can't be read.
        """
        if not path.startswith("gs://"):
            return Path(path)
        source = gcs.GcsPath.parse(path)
        copy = Path(tempfile.mkdtemp(dir=self._staging)) / (source.name or source.bucket)
        self._origins[copy] = str(source)
        return gcs.download(source, copy, ignore=ignore)

    @property
    def origins(self) -> Mapping[Path, str]:
        """The gs:// path of each copy, for `told_by_origin`."""
        return self._origins


@contextmanager
def told_by_origin(origins: Mapping[Path, str]) -> Iterator[None]:
    """Let input errors name what was given in place of its private copy.

    Args:
        origins: What was given, by the copy.

    Raises:
        InputError: The one that was raised in the block, in other words.
    """
    try:
        yield
    except InputError as error:
        problems = [
            Problem(_named(each.message, origins), _named(each.fix, origins)) for each in error.problems
        ]
        raise InputError(*problems) from error


def _named(text: str, origins: Mapping[Path, str]) -> str:
    for copy, origin in origins.items():
        text = text.replace(str(copy), origin)
    return text
