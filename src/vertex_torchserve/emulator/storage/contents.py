"""The bytes of objects: files that are written once, and shared by every object that has the same bytes."""

import os
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from io import FileIO
from pathlib import Path
from threading import Lock

from google_crc32c import Checksum

_READ_BYTES = 1 << 20
# So many bytes are given to the disk at once.
_STRETCH_BYTES = 8 << 20


@dataclass(frozen=True)
class Content:
    """The bytes of an object, in a file that doesn't change any more.

    Attributes:
        path: The file.
        size: Its size in bytes.
    """

    path: Path
    size: int


class ArrivingContent:
    """A content while it is received: its bytes are appended to a file, and its checksums are made beside.

    Args:
        path: The file; what it holds already is the beginning.

    Attributes:
        path: The file.
        size: How many bytes are there.
        receiving: To be held by who appends: two requests may bring bytes of the same content.

    Raises:
        OSError: When the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self.receiving = Lock()
        self.size = path.stat().st_size
        self.path = path
        self._crc32c = Checksum()
        self._md5 = md5(usedforsecurity=False)
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_READ_BYTES):
                self._sum(piece)

    def append(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Append bytes; what has come stays when `pieces` breaks off.

        Args:
            pieces: The bytes, in order; a piece is used before the next is asked for.

        Raises:
            OSError: When the disk doesn't take them; whole pieces that it took stay.
        """
        begun = self.size
        # The sums cost more than receiving does: both at once.
        with self.path.open("ab", buffering=0) as file, ThreadPoolExecutor(1) as sums:
            summed = sums.submit(self._sum, b"")
            for piece in pieces:
                written = self._write(file, bytes(piece))
                summed.result()
                summed = sums.submit(self._sum, written)
                if self.size - begun >= _STRETCH_BYTES:
                    _start_writing(file, begun, self.size)
                    begun = self.size

    def content(self) -> Content:
        """What is there now; it is on the disk when this returns.

        Raises:
            OSError: When the disk doesn't take it.
        """
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        return Content(self.path, self.size)

    def checksums(self) -> dict[str, str]:
        """`crc32c` and `md5Hash`, as Cloud Storage writes them."""
        sums = {"crc32c": self._crc32c.digest(), "md5Hash": self._md5.digest()}
        return {name: b64encode(digest).decode() for name, digest in sums.items()}

    def _write(self, file: FileIO, piece: bytes) -> bytes:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(self.size)
            raise
        self.size += len(piece)
        return piece

    def _sum(self, piece: bytes) -> None:
        self._crc32c.update(piece)
        self._md5.update(piece)


def _start_writing(file: FileIO, begin: int, end: int) -> None:
    """Have the disk begin, so that there is little to wait for at the end.

    Linux does so when it is told that pages aren't needed, and keeps those that it is still writing.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), begin, end - begin, os.POSIX_FADV_DONTNEED)
