"""Files on the disk: of an unpacked archive, of a model folder, or of an archive that is being made."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import Problem
from vertex_torchserve.serving.archive.members import member_name_problems


class FilesView:
    """An `ArchiveView` of files on the disk.

    Args:
        origin: Where they lie, for messages.
        files: Each member's file, by the member's name.
        texts: The content of members that no file has.
        fix: What to do about names that can't be accepted.
    """

    def __init__(
        self,
        origin: str,
        files: Mapping[str, Path],
        texts: Mapping[str, bytes] | None = None,
        fix: str = "rename them",
    ) -> None:
        self.origin = origin
        self._files, self._texts = files, texts or {}
        self.sizes: Mapping[str, int] = {
            **{name: _size(file) for name, file in files.items()},
            **{name: len(text) for name, text in self._texts.items()},
        }
        self.problems: Sequence[Problem] = member_name_problems(origin, list(files), fix)
        self.damage: Problem | None = None

    def open(self, name: str) -> BinaryIO:
        """A member as a file.

        Raises:
            MemberError: It can't be read.
        """
        if name in self._texts:
            return io.BytesIO(self._texts[name])
        try:
            return self._files[name].open("rb")
        except (OSError, KeyError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no such member"
            raise MemberError(f"can't be read: {reason}") from error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
