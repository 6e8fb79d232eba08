"""An archive read in ranges, on the local disk or in Cloud Storage."""

import contextlib
import io
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs.client import WORKERS
from vertex_torchserve.gcs.ranges import RANGE_BYTES
from vertex_torchserve.serving.archive.crc32 import Read

# Holds the central directory of an archive of some ten thousand files.
_TAIL_BYTES = 1 << 20
_BUFFER_BYTES = 64 << 10


class ArchiveSource(Protocol):
    """Where an archive's bytes come from; `gcs.ObjectRanges` is one.

    Attributes:
        origin: Where it lies, for messages.
        size: Its bytes.
    """

    origin: str
    size: int

    def read(self, start: int, end: int, is_wanted: Callable[[], bool] = ...) -> bytes:
        """The bytes from `start` up to `end`.

        Args:
            start: The first byte.
            end: The byte after the last.
            is_wanted: Asked before a failed read is tried again; False gives up.
        """


class LocalArchive:
    """An archive on the local disk.

    Raises:
        InputError: When it can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.origin = str(path)
        self._path = path
        with self._readable():
            self.size = path.stat().st_size

    def read(self, start: int, end: int, is_wanted: Callable[[], bool] = lambda: True) -> bytes:  # noqa: ARG002
        """The bytes from `start` up to `end`.

        Raises:
            InputError: When the file can't be read.
        """
        with self._readable(), self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    @contextlib.contextmanager
    def reader(self) -> Iterator[Read]:
        """The open file, for the block, by a function that fills a buffer from an offset on.

        Raises:
            InputError: From the function too, when the file can't be read or ends before the offset.
        """
        with self._readable():
            file = self._path.open("rb", buffering=0)

        def read(buffer: memoryview, offset: int) -> int:
            with self._readable():
                count = os.preadv(file.fileno(), [buffer], offset)
            if not count:
                raise InputError(ended_early(self, offset))
            return count

        with file:
            yield read

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                Problem(
                    f"{self.origin} can't be read: {error.strerror or error}",
                    "let the user this runs as read the file (`chmod a+r`), and look at the disk it lies on",
                )
            ) from error


def ended_early(source: ArchiveSource, position: int) -> Problem:
    """The refusal of an archive that has become shorter while it was read."""
    return Problem(
        f"{source.origin} ended after {position} of {source.size} bytes",
        "try again when nobody writes to it",
    )


def as_file(source: ArchiveSource) -> io.BufferedReader:
    """The archive as a file that `zipfile` can read."""
    return io.BufferedReader(_SourceFile(source), _BUFFER_BYTES)


def pieces(source: ArchiveSource, start: int, end: int) -> Generator[bytes, None, None]:
    """The bytes from `start` up to `end`, in order, fetched ahead in parallel ranges.

    Close the iterator when it is not read to its end: threads of its own read ahead.

    Raises:
        InputError: When the archive is shorter than it was, or can't be read.
    """
    given_up = threading.Event()

    def fetched(begin: int) -> bytes:
        wanted = min(RANGE_BYTES, end - begin)
        data = source.read(begin, begin + wanted, lambda: not given_up.is_set())
        if len(data) < wanted:
            raise InputError(ended_early(source, begin + len(data)))
        return data

    ahead: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="archive") as pool:
        try:
            for begin in range(start, end, RANGE_BYTES):
                if len(ahead) == WORKERS:
                    yield ahead.popleft().result()
                ahead.append(pool.submit(fetched, begin))
            while ahead:
                yield ahead.popleft().result()
        finally:
            given_up.set()
            for future in ahead:
                future.cancel()


class _SourceFile(io.RawIOBase):
    """A source as a raw file; its end, where a zip's central directory lies, is read once and kept."""

    def __init__(self, source: ArchiveSource) -> None:
        self._source = source
        self._position = 0
        self._tail_start = max(0, source.size - _TAIL_BYTES)
        self._tail = source.read(self._tail_start, source.size) if source.size else b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError(f"no byte {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        end = min(self._position + len(buffer), self._source.size)
        if self._position >= end:
            return 0
        if self._position >= self._tail_start:
            data = self._tail[self._position - self._tail_start : end - self._tail_start]
        else:
            data = self._source.read(self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
