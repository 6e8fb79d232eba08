"""Runs items in packs of bounded cost, and goes on with less when memory or an item fails."""

import logging
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from hf_handler.items import Item

if TYPE_CHECKING:
    from hf_handler.task import Task

logger = logging.getLogger(__name__)


def packs_of(items: Sequence[Item], budget: int) -> Iterator[list[int]]:
    """Group the indices of `items` into packs: sorted by length, none above `budget` but of one item."""
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
            if pack and (len(pack) + 1) * items[index].length > budget:  # the newcomer is the longest
                yield pack
                pack = []
            pack.append(index)
        yield pack


def run_packed(owner: "Task", items: Sequence[Item]) -> list[Any]:
    """Run items in packs of at most the task's budget; returns their rows in order.

    A row is an exception where its item failed, and its item only.
    """
    rows: list[Any] = [None] * len(items)
    waiting = list(packs_of(items, owner.budget))[::-1] if items else []
    while waiting:
        pack = waiting.pop()
        longest = items[pack[-1]].length  # a pack is sorted
        owner.threads.take(len(pack) * longest)
        failure = _run_pack(owner, items, pack, rows)
        if failure is None:
            continue
        if len(pack) == 1:
            rows[pack[0]] = failure
        elif isinstance(failure, torch.OutOfMemoryError):
            if owner.device.type == "cuda":
                torch.cuda.empty_cache()
            half = len(pack) // 2
            # Packs of this cost won't fit the next time either.
            owner.budget = min(owner.budget, longest * half)
            logger.warning(
                "out of memory with %d rows: going on with %d, at most %d tokens from now on",
                len(pack), half, owner.budget,
            )  # fmt: skip
            waiting += [pack[half:], pack[:half]]
        else:
            waiting += [[index] for index in reversed(pack)]
    return rows


def _run_pack(owner: "Task", items: Sequence[Item], pack: list[int], rows: list[Any]) -> Exception | None:
    """Run one pack into `rows`; returns what went wrong, without the frames that hold its tensors."""
    try:
        with torch.inference_mode():
            results = owner.run([items[index] for index in pack])
    except Exception as error:
        return error.with_traceback(None) if isinstance(error, torch.OutOfMemoryError) else error
    for index, row in zip(pack, results, strict=True):
        rows[index] = row
    return None
