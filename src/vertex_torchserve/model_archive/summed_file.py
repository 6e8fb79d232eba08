"""A new file that is written beside the sums of what is written, each by a thread of its own."""

import hashlib
import io
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from vertex_torchserve.gcs import checksum
from vertex_torchserve.serving_plan.sums import Sums

BLOCK_BYTES = 1 << 21  # what is best written at a time
_MOST_WAITING = 8


class SummedFile(io.RawIOBase):
    """A file that is written once, from its beginning to its end, and its sums.

    SHA-256 alone takes longer than reading, writing and the other sum together, in the page cache of a CPU
    that has instructions for it; so nothing else is done in its thread. `hashlib` and the system's calls let
    other threads run. Closing it waits for the writes, and leaves the file below open.

    Args:
        file: An empty file, opened for writing; nobody else uses it meanwhile.

    Raises:
        OSError: From any call, when the file can't be written.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._position = 0
        self._sha256 = hashlib.sha256()
        self._crc32c = 0
        self._writer, self._hasher = (
            ThreadPoolExecutor(1, thread_name_prefix=f"archive-{name}") for name in ("writer", "hasher")
        )
        self._begun: deque[tuple[Future[None], Future[None]]] = deque()

    def close(self) -> None:
        """Give up what is not written yet."""
        if not self.closed:
            for thread in (self._writer, self._hasher):
                thread.shutdown(cancel_futures=True)
        super().close()

    def tell(self) -> int:
        """How many bytes there are."""
        return self._position

    def write(self, data: Any) -> int:
        """Write bytes soon; they must not change until then."""
        if len(self._begun) == _MOST_WAITING:
            self._wait_for_one()
        self._begun.append(
            (self._writer.submit(self._write_all, data), self._hasher.submit(self._sha256.update, data))
        )
        self._position += len(data)
        return len(data)

    def sums(self) -> Sums:
        """Wait until all is written; returns its sums."""
        while self._begun:
            self._wait_for_one()
        return Sums(self._sha256.hexdigest(), checksum.encoded(self._crc32c))

    def _wait_for_one(self) -> None:
        for each in self._begun.popleft():
            each.result()

    def _write_all(self, data: Any) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file.fileno(), left) :]
        self._crc32c = checksum.crc32c(data, self._crc32c)
