"""Items run together in packs: of bounded cost, and smaller ones after memory ran out."""

import logging
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import torch

from hf_handler.items import Item
from hf_handler.threads import ThreadShare

logger = logging.getLogger(__name__)

# Tokens of the smallest pack that is tried when a budget is measured.
SMALLEST_BUDGET = 256
# It is run so many times, or until the runs have taken so long: one long run tells as much as three.
MEASURED_RUNS, MEASURED_SECONDS = 3, 0.1

# Runs items together; returns a row for each, in order.
Run = Callable[[list[Item]], Sequence[Any]]


def packs_of(items: Sequence[Item], budget: int) -> Iterator[list[int]]:
    """Put items that may run together into packs, those of like length side by side.

    Args:
        items: In any order.
        budget: The most that a pack may cost: its count of items times the length of its longest. An item
            that costs more by itself is a pack of its own.

    Yields:
        The indices of a pack's items, the longest item last.
    """
    if len(items) == 1:
        yield [0]
        return
    order = sorted(range(len(items)), key=lambda index: items[index].length)
    groups: dict[Hashable, list[int]] = {}
    for index in order:
        groups.setdefault(items[index].group, []).append(index)
    for members in groups.values():
        pack: list[int] = []
        for index in members:
            if pack and (len(pack) + 1) * items[index].length > budget:  # this item would be the longest
                yield pack
                pack = []
            pack.append(index)
        yield pack


class PackRunner:
    """Runs items in packs.

    Args:
        budget: The most that a pack may cost, in the unit of its items' lengths (tokens, as a rule).
        threads: Cores that a pack may use.
        device: Where the model is.

    Attributes:
        budget: As given at first; measured by `measure_budget`, less after memory ran out.
    """

    def __init__(self, budget: int, threads: ThreadShare, device: torch.device) -> None:
        self.budget = budget
        self._threads = threads
        self._device = device

    def run_all(self, items: Sequence[Item], run: Run) -> list[Any]:
        """Run items in packs of at most `budget`.

        A pack that doesn't fit the memory is run in halves. One that fails in another way is run again item
        by item.

        Args:
            items: Any number.
            run: Runs one pack.

        Returns:
            The items' rows in their order; an exception where an item failed by itself, or nobody waits
            for it.
        """
        rows: list[Any] = [None] * len(items)
        waiting = list(packs_of(items, self.budget))[::-1] if items else []
        with self._threads.at_work():
            while waiting:
                pack = still_wanted(waiting.pop(), items, rows)
                if not pack:
                    continue
                self._threads.take(len(pack) * items[pack[-1]].length)
                failure = _run_pack(run, items, pack, rows)
                if failure is None:
                    still_wanted(pack, items, rows)  # an answer that is late is none
                    continue
                if len(pack) == 1:
                    rows[pack[0]] = failure
                elif isinstance(failure, torch.OutOfMemoryError):
                    waiting += self._halved(pack, items[pack[-1]].length)
                else:
                    waiting += [[index] for index in reversed(pack)]
        return rows

    def _halved(self, pack: list[int], longest: int) -> list[list[int]]:
        """Return both halves of a pack that was too large for the memory; the next packs are smaller, too."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(pack) // 2
        self.budget = min(self.budget, longest * half)
        logger.warning(
            "out of memory with %d rows: going on with %d, at most %d tokens from now on",
            len(pack), half, self.budget,
        )  # fmt: skip
        return [pack[half:], pack[:half]]

    def measure_budget(self, item: Item, run: Callable[[list[Item]], object], seconds: float = 1.0) -> None:
        """Set `budget` to the smallest pack that runs at nearly the best speed of this device.

        An item is run in ever larger packs until they get no faster, time is up or memory is full. The
        smallest within 5 % of the best wins: small packs waste less on padding and leave memory free.

        Args:
            item: Of middle length.
            run: Runs one pack.
            seconds: When to stop, for a slow model. One that would need so long for the smallest pack gets
                that without a run of it.
        """
        deadline = time.monotonic() + seconds
        largest = 2**13 if self._device.type == "cpu" else 2**18  # a CPU is at its best speed long before
        speeds: dict[int, float] = {}
        budget = SMALLEST_BUDGET
        if self._is_slow(run, item, seconds):
            self.budget = budget
            return
        while budget <= largest and time.monotonic() < deadline:
            pack = [item] * max(1, budget // item.length)
            try:
                took = [self._seconds_of(run, pack)]
                while len(took) < MEASURED_RUNS and sum(took) < MEASURED_SECONDS:
                    took.append(self._seconds_of(run, pack))
            except (RuntimeError, ValueError, IndexError):  # out of memory, or such an item can't be run
                break
            speeds[budget] = len(pack) * item.length / min(took)
            if budget // 4 in speeds and speeds[budget] < 1.02 * speeds[budget // 4]:
                break
            if time.monotonic() + 2 * took[-1] > deadline:
                break
            budget *= 2
        good = 0.95 * max(speeds.values(), default=0)
        self.budget = min((size for size in speeds if speeds[size] >= good), default=self.budget)

    def _is_slow(self, run: Callable[[list[Item]], object], item: Item, seconds: float) -> bool:
        """Whether the smallest pack takes so long: as much as its items alone, but for what they share."""
        try:
            return self._seconds_of(run, [item]) * SMALLEST_BUDGET / item.length > 2 * seconds
        except (RuntimeError, ValueError, IndexError):
            return False

    def _seconds_of(self, run: Callable[[list[Item]], object], pack: list[Item]) -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            run(pack)
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)
        return time.perf_counter() - started


def still_wanted(pack: list[int], items: Sequence[Item], rows: list[Any]) -> list[int]:
    """Return the items of a pack that somebody waits for; of the others the row says why nobody does."""
    ended = {
        waiting: why
        for waiting in {items[index].waiting for index in pack}
        if (why := waiting.ended()) is not None
    }
    if not ended:
        return pack
    for index in pack:
        if items[index].waiting in ended:
            rows[index] = ended[items[index].waiting]
    return [index for index in pack if items[index].waiting not in ended]


def _run_pack(run: Run, items: Sequence[Item], pack: list[int], rows: list[Any]) -> Exception | None:
    """Run one pack into `rows`; returns what went wrong, without the frames that hold its tensors."""
    try:
        with torch.inference_mode():
            results = run([items[index] for index in pack])
    except Exception as error:
        return error.with_traceback(None) if isinstance(error, torch.OutOfMemoryError) else error
    for index, row in zip(pack, results, strict=True):
        rows[index] = row
    return None
