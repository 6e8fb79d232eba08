"""The cores of idle workers, used by those that have a large pack to run."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch


class ThreadShare:
    """The cores of workers that have nothing to do, for those that have.

    A server that starts a worker a core gives each one thread, and a large request alone would use one core.
    Ours names a file to its workers, of one float64 for each: since when it has had nothing to do, in seconds
    of the machine's monotonic clock, or infinity. Elsewhere every worker keeps the threads it has.

    Args:
        file: That file; None: there is nothing to share.
    """

    # Who was at work so lately will be again: two workers on the same cores are slower than each on its own.
    QUIET_SECONDS = 0.05
    # More threads make less no faster, measured with MiniLM: the server needs a core meanwhile.
    LEAST_TOKENS = 128

    def __init__(self, file: str | None) -> None:
        self._own = torch.get_num_threads()
        self._idle_since = numpy.zeros(1)
        self._slot = 0
        if file:
            self._join(Path(file))

    def _join(self, file: Path) -> None:
        import fcntl

        times = numpy.memmap(file, dtype=numpy.float64, mode="r+")
        lock = os.open(file, os.O_RDWR)  # never closed: a byte that is locked says that the slot is taken
        for slot in range(len(times)):
            with contextlib.suppress(OSError):
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
                self._slot, self._idle_since = slot, times
                return

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Tell the others, for as long as it takes; gives the threads back that were taken meanwhile."""
        self._idle_since[self._slot] = float("inf")
        try:
            yield
        finally:
            self._use(self._own)
            self._idle_since[self._slot] = time.monotonic()

    def take(self, tokens: int) -> None:
        """Run so many tokens on this worker's share: all threads, over the workers that are at work."""
        if tokens < self.LEAST_TOKENS:
            self._use(self._own)
            return
        busy = int((self._idle_since > time.monotonic() - self.QUIET_SECONDS).sum())
        self._use(self._own * len(self._idle_since) // max(busy, 1))

    @staticmethod
    def _use(threads: int) -> None:
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
