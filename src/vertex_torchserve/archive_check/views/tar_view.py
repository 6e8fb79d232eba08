"""A .tar.gz archive, as torch-model-archiver writes it with `--archive-format tgz`.

A compressed tar has no directory: it is read once to its end for the names and sizes of its members, and
again up to each member that a rule asks for.
"""

import io
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from typing import BinaryIO, cast

from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import Problem
from vertex_torchserve.serving.archive.manifest import REPACK
from vertex_torchserve.serving.archive.members import MOST_MEMBERS, link_problems, member_name_problems
from vertex_torchserve.serving.archive.other_formats import name_in_tar
from vertex_torchserve.serving.archive.source import ArchiveSource, as_file

_NO_TAR = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError)
# A member up to this size is kept from the first reading on; all of them together may take so much.
_SMALL_BYTES, _MOST_KEPT_BYTES = 1 << 20, 32 << 20


class TarView:
    """An `ArchiveView` of a compressed tar.

    Args:
        source: The archive's bytes.
    """

    def __init__(self, source: ArchiveSource) -> None:
        self.origin = source.origin
        self.damage: Problem | None = None
        self._source = source
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0
        names: list[str] = []
        links: list[str] = []
        sizes: dict[str, int] = {}
        try:
            with as_file(source) as file, tarfile.open(fileobj=file, mode="r|gz") as archive:
                for member in archive:
                    if member.isdir():
                        continue
                    name = name_in_tar(member)
                    names.append(name)
                    if len(names) > MOST_MEMBERS:
                        break
                    if not member.isreg():
                        links.append(name)
                        continue
                    sizes[name] = member.size
                    self._keep(archive, member, name)
        except _NO_TAR as error:
            self.damage = Problem(
                f"{self.origin} is not a .tar.gz, or not all of it: {error} ({source.size:,} bytes)",
                f"copy or upload it again, or {REPACK}",
            )
        self.sizes: Mapping[str, int] = sizes
        self.problems: Sequence[Problem] = [
            *member_name_problems(self.origin, names, REPACK),
            *link_problems(self.origin, links, REPACK),
        ]

    def open(self, name: str) -> BinaryIO:
        """A member as a file.

        Raises:
            MemberError: It can't be read.
        """
        if name in self._kept:
            return io.BytesIO(self._kept[name])
        try:
            archive = tarfile.open(fileobj=as_file(self._source), mode="r:gz")  # noqa: SIM115
            for member in archive:
                if member.isreg() and name_in_tar(member) == name:
                    return cast(BinaryIO, archive.extractfile(member))
        except _NO_TAR as error:
            raise MemberError(f"can't be read: {error}") from error
        raise MemberError("is not in the archive")

    def _keep(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        if member.size > _SMALL_BYTES or self._kept_bytes + member.size > _MOST_KEPT_BYTES:
            return
        self._kept_bytes += member.size
        file = archive.extractfile(member)
        if file is not None:
            self._kept[name] = file.read()
