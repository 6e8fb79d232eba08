"""A .mar: its central directory is read, then single members, in ranges."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import Problem
from vertex_torchserve.serving.archive.manifest import REPACK
from vertex_torchserve.serving.archive.members import member_problems
from vertex_torchserve.serving.archive.source import ArchiveSource, as_file

# APPNOTE.TXT 4.3.7: signature, 22 bytes that the central directory has too, lengths of name and extra field.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_BUFFER_BYTES = 64 << 10
NO_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)


class ZipView:
    """An `ArchiveView` of a zip.

    Args:
        source: The archive's bytes.
    """

    def __init__(self, source: ArchiveSource) -> None:
        self.origin = source.origin
        self.sizes: Mapping[str, int] = {}
        self.problems: Sequence[Problem] = []
        self.damage: Problem | None = None
        self._source = source
        self._file = as_file(source)
        try:
            self._archive = zipfile.ZipFile(self._file)
        except NO_ZIP as error:
            self.damage = Problem(
                f"{self.origin} is not a zip, or not all of it: {error} ({source.size:,} bytes)",
                f"copy or upload it again, or {REPACK}",
            )
            return
        members = [each for each in self._archive.infolist() if not each.filename.endswith("/")]
        self.sizes = {each.filename: each.file_size for each in members}
        self.problems = member_problems(self.origin, members, REPACK)

    def open(self, name: str) -> BinaryIO:
        """A member as a file; one that is stored is read from the archive where it is wanted, in ranges.

        Raises:
            MemberError: It can't be read.
        """
        try:
            member = self._archive.getinfo(name)
            opened = self._archive.open(name)
        except (*NO_ZIP, KeyError, RuntimeError) as error:
            raise MemberError(f"can't be read: {error}") from error
        if member.compress_type != zipfile.ZIP_STORED:
            return cast(BinaryIO, opened)
        opened.close()
        header = self._source.read(member.header_offset, member.header_offset + _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_SIGNATURE):
            raise MemberError("is not where the central directory says")
        start = member.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header)[1:])
        return io.BufferedReader(_StoredMember(self._source, start, member.file_size), _BUFFER_BYTES)


class _StoredMember(io.RawIOBase):
    """The bytes of an uncompressed member, read from the archive itself."""

    def __init__(self, source: ArchiveSource, start: int, size: int) -> None:
        self._source, self._start, self._size = source, start, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"no byte {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._size)
        if self._position >= end:
            return 0
        data = self._source.read(self._start + self._position, self._start + end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
