"""A new file that is written by a thread of its own, beside the sum of what is written."""

import hashlib
import io
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from vertex_torchserve.gcs import checksum
from vertex_torchserve.serving_plan.sums import Sums

BLOCK_BYTES = 1 << 20  # what is best written at a time
_MOST_WAITING = 8


class SummedFile(io.RawIOBase):
    """A file that is written once, from its beginning to its end, and its sums.

    Reading, summing and writing take about as long as each other in the page cache; `hashlib` and the
    system's calls let other threads run. Closing it waits for the writes, and leaves the file below open.

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
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="archive-writer")
        self._writes: deque[Future[None]] = deque()

    def close(self) -> None:
        """Give up what is not written yet."""
        if not self.closed:
            self._writer.shutdown(cancel_futures=True)
        super().close()

    def tell(self) -> int:
        """How many bytes there are."""
        return self._position

    def write(self, data: Any) -> int:
        """Write bytes soon; they must not change until then."""
        if len(self._writes) == _MOST_WAITING:
            self._writes.popleft().result()
        self._writes.append(self._writer.submit(self._write_all, data))
        self._sha256.update(data)
        self._position += len(data)
        return len(data)

    def sums(self) -> Sums:
        """Wait until all is written; returns its sums."""
        while self._writes:
            self._writes.popleft().result()
        return Sums(self._sha256.hexdigest(), checksum.encoded(self._crc32c))

    def _write_all(self, data: Any) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file.fileno(), left) :]
        self._crc32c = checksum.crc32c(data, self._crc32c)
