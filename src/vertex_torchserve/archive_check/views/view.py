"""What a rule sees of an archive: the names and sizes of its members, and each member as a file."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

from vertex_torchserve.errors import Problem


class ArchiveView(Protocol):
    """An archive or a folder, whose members are read one by one and never written to the disk.

    Attributes:
        origin: Where it lies, for messages.
        sizes: The bytes of each member, unpacked, by its name.
        problems: What keeps the members from becoming the files of one folder, by `serving.archive.members`.
        damage: Why it is no archive at all; None when it is one, or a folder.
    """

    origin: str
    sizes: Mapping[str, int]
    problems: Sequence[Problem]
    damage: Problem | None

    def open(self, name: str) -> BinaryIO:
        """A member as a file that can seek; seeking backwards in a compressed one reads it again.

        Raises:
            MemberError: It can't be read.
        """
        ...


class MemberError(Exception):
    """A member can't be read; the message says why."""
