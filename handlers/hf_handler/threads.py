"""Threads for large packs of work: more of them while other workers have nothing to do."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch


class ThreadShare:
    """Lets this worker use the threads of workers that are idle.

    Our server starts one worker a core, each with one thread, so that many small requests are answered at
    once. A large request alone would then use one core only. So the workers share a file that says for each
    of them since when it has been idle: one float64 a worker, in seconds of the machine's monotonic clock;
    infinity while it works. A worker with a large pack counts those that are at work, and divides the threads
    of all workers among them. Without the file, as in another server, a worker keeps its own threads.

    Args:
        file: The path of that file; None when there is none.
    """

    # A worker counts as at work for so long after its last pack, because its next request often follows at
    # once: two workers that use the same cores are slower than each on its own.
    QUIET_SECONDS = 0.05
    # A smaller pack is no faster with more threads (measured with MiniLM), and the server needs a core, too.
    LEAST_TOKENS = 128

    def __init__(self, file: str | None) -> None:
        self._own = torch.get_num_threads()
        self._idle_since = numpy.zeros(1)
        self._slot = 0
        if file:
            self._join(Path(file))

    def _join(self, file: Path) -> None:
        """Take the first free number of the file; the system frees it when this worker ends."""
        import fcntl

        times = numpy.memmap(file, dtype=numpy.float64, mode="r+")
        lock = os.open(file, os.O_RDWR)  # stays open: a lock on byte N says that number N is taken
        for slot in range(len(times)):
            with contextlib.suppress(OSError):
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
                self._slot, self._idle_since = slot, times
                return

    @property
    def most(self) -> int:
        """The most threads that a pack may use: those of all workers."""
        return self._own * len(self._idle_since)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count this worker as at work until the block ends; then it has its own threads again."""
        self._idle_since[self._slot] = float("inf")
        try:
            yield
        finally:
            self._use(self._own)
            self._idle_since[self._slot] = time.monotonic()

    def take(self, tokens: int) -> None:
        """Use as many threads as this worker may for its next pack.

        Args:
            tokens: Of the pack, padding included.
        """
        if tokens < self.LEAST_TOKENS:
            self._use(self._own)
            return
        busy = int((self._idle_since > time.monotonic() - self.QUIET_SECONDS).sum())
        self._use(self.most // max(busy, 1))

    @staticmethod
    def _use(threads: int) -> None:
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
