"""The bytes of an archive from its first member on, each read once, in the order in which they lie in it."""

import os
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Protocol

from vertex_torchserve.serving.archive.crc32 import Read, crc32_between
from vertex_torchserve.serving.archive.source import ArchiveSource, LocalArchive, pieces

_BLOCK_BYTES = 1 << 20


class ArchiveBytes(Protocol):
    """Where reading has got to.

    Attributes:
        origin: Where the archive lies, for messages.
    """

    origin: str

    def skip_to(self, position: int) -> bool:
        """Go forward to `position`; False when it has been passed already."""

    def take(self, count: int) -> Iterator[memoryview]:
        """The next `count` bytes in pieces; fewer when the central directory begins earlier."""

    def copy(self, count: int, target: int) -> tuple[int, int]:
        """Write the next `count` bytes to the beginning of a file; fewer, as with `take`.

        Args:
            count: How many.
            target: Descriptor of an empty file.

        Returns:
            How many there were, and their CRC-32.
        """


@contextmanager
def bytes_of(source: ArchiveSource, begin: int, end: int) -> Iterator[ArchiveBytes]:
    """Read an archive while the block runs.

    Args:
        source: The archive.
        begin: Where its first member begins.
        end: Where its central directory begins.

    Raises:
        InputError: When the archive is shorter than it was, or can't be read.
        StorageError: When Cloud Storage goes on failing.
    """
    if isinstance(source, LocalArchive):
        with source.reader() as read:
            yield _LocalBytes(source.origin, read, begin, end)
        return
    with closing(pieces(source, begin, end)) as stream:
        yield _StreamedBytes(source.origin, stream, begin)


class _LocalBytes:
    """Read when they are asked for; a long stretch is summed and copied by several threads.

    `copy_file_range` with the sum beside it takes as long (ext4, 1 GB, page cache), and reads twice.
    """

    def __init__(self, origin: str, read: Read, begin: int, end: int) -> None:
        self.origin = origin
        self._read = read
        self._position = begin
        self._end = end

    def skip_to(self, position: int) -> bool:
        if position < self._position:
            return False
        self._position = position
        return True

    def take(self, count: int) -> Iterator[memoryview]:
        begin, end = self._forward(count)
        while begin < end:
            buffer = memoryview(bytearray(min(_BLOCK_BYTES, end - begin)))
            arrived = self._read(buffer, begin)
            begin += arrived
            yield buffer[:arrived]

    def copy(self, count: int, target: int) -> tuple[int, int]:
        begin, end = self._forward(count)

        def write(block: memoryview, offset: int) -> None:
            write_whole(target, block, offset - begin)

        return end - begin, crc32_between(begin, end, self._read, write)

    def _forward(self, count: int) -> tuple[int, int]:
        begin = min(self._position, self._end)
        self._position += count
        return begin, min(self._position, self._end)


class _StreamedBytes:
    """Fetched ahead, in ranges."""

    def __init__(self, origin: str, stream: Iterator[bytes], position: int) -> None:
        self.origin = origin
        self._stream = stream
        self._piece = memoryview(b"")
        self._position = position

    def skip_to(self, position: int) -> bool:
        distance = position - self._position
        if distance >= 0:
            for _ in self.take(distance):
                pass
        return distance >= 0

    def take(self, count: int) -> Iterator[memoryview]:
        self._position += count
        while count:
            if not self._piece:
                self._piece = memoryview(next(self._stream, b""))
                if not self._piece:
                    return
            taken, self._piece = self._piece[:count], self._piece[count:]
            count -= len(taken)
            yield taken

    def copy(self, count: int, target: int) -> tuple[int, int]:
        size = checksum = 0
        for piece in self.take(count):
            checksum = zlib.crc32(piece, checksum)
            write_whole(target, piece, size)
            size += len(piece)
        return size, checksum


def write_whole(target: int, data: memoryview | bytes, offset: int) -> None:
    """Write all of `data` into a file, from `offset` on.

    Raises:
        OSError: The disk is full, or can't be written to.
    """
    left = memoryview(data)
    while left:
        written = os.pwrite(target, left, offset)
        left, offset = left[written:], offset + written
