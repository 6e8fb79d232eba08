"""Threads for packs of work: more of them while other workers have nothing to do."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import torch


class ThreadShare:
    """Lets this worker use the threads of workers that are idle.

    Our server starts one worker a core, each with one thread, so that many small requests are answered at
    once. A request alone would then use one core only. So the workers share a file that says for each of them
    since when it has been idle: one float64 a worker, in seconds of the machine's monotonic clock; infinity
    while it loads or works, 0 when no other worked during its last batches. A worker with a pack counts those
    that are at work, and divides the threads of all workers among them. Without the file, as in another
    server, a worker keeps its own threads.

    Args:
        file: The path of that file; None when there is none.

    Attributes:
        own: The threads that this worker always has.
        least_tokens: Smaller packs keep to those. How many it takes until more threads are faster depends on
            the model, its engine and the machine, so the encoder that loads last measures it; 128 without
            that.
        undecided: Asked before each pack until it tells `least_tokens`; None where that is as it stays.
    """

    # A worker that has worked beside another counts as at work for so long after its last batch, because its
    # next request often follows at once: two workers that use the same cores are slower than each on its own.
    # One that has worked alone for so many batches doesn't: a single client's next request may go to either.
    QUIET_SECONDS = 0.05
    BATCHES_ALONE = 4

    def __init__(self, file: str | None) -> None:
        self.own = torch.get_num_threads()
        self.least_tokens = 128
        self.undecided: Callable[[], int | None] | None = None
        self._loading = True
        self._idle_since = numpy.zeros(1)
        self._slot = 0
        self._alone = 0  # batches in a row during which no other worker was at work
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
                times[slot] = float("inf")
                return

    @property
    def most(self) -> int:
        """The most threads that a pack may use: those of all workers."""
        return self.own * len(self._idle_since)

    def loaded(self) -> bool:
        """Count this worker as idle from now on; returns whether no other loads or works."""
        self._loading = False
        self._idle_since[self._slot] = time.monotonic()
        return float("inf") not in self._idle_since.tolist()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count this worker as at work until the block ends; then it has its own threads again."""
        began = time.monotonic()
        self._idle_since[self._slot] = float("inf")
        beside_others = self._others_since(began)
        try:
            yield
        finally:
            self._use(self.own)
            beside_others = beside_others or self._others_since(began)
            self._alone = 0 if beside_others else self._alone + 1
            expected_back = self._alone < self.BATCHES_ALONE
            if not self._loading:
                self._idle_since[self._slot] = time.monotonic() if expected_back else 0.0

    def take(self, tokens: int) -> None:
        """Use as many threads as this worker may for its next pack.

        Args:
            tokens: Of the pack, padding included.
        """
        if self.undecided is not None and (least := self.undecided()) is not None:
            self.least_tokens, self.undecided = least, None
        if tokens < self.least_tokens:
            self._use(self.own)
            return
        busy = self._count_since(time.monotonic() - self.QUIET_SECONDS)
        self._use(self.most // max(busy, 1))

    def _others_since(self, moment: float) -> bool:
        """Return whether another worker has been at work since then."""
        return self._count_since(moment) > 1

    def _count_since(self, moment: float) -> int:
        """Return how many workers have been at work since then; of so few, faster than numpy counts them."""
        return sum(idle_since > moment for idle_since in self._idle_since.tolist())

    @staticmethod
    def _use(threads: int) -> None:
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
