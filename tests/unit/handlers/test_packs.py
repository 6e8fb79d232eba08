"""Items run in packs: what happens when a pack fails, and the budget."""

import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


def runner(budget: int) -> Any:
    import torch

    from hf_handler.packs import PackRunner
    from hf_handler.threads import ThreadShare

    return PackRunner(budget, ThreadShare(None), torch.device("cpu"))


def items(*lengths: int) -> list[Any]:
    from hf_handler.items import Item

    return [Item(length, length) for length in lengths]


def recording(sizes: list[int], fails: Callable[[list[int]], Exception | None]) -> Any:
    """What runs a pack: gives ten times each input, or fails; writes down how many there were."""

    def run(pack: list[Any]) -> list[int]:
        inputs = [item.inputs for item in pack]
        sizes.append(len(inputs))
        error = fails(inputs)
        if error is not None:
            raise error
        return [10 * one for one in inputs]

    return run


def test_rows_come_in_the_order_of_their_items() -> None:
    sizes: list[int] = []
    rows = runner(12).run_all(items(5, 1, 6, 2), recording(sizes, lambda inputs: None))
    assert rows == [50, 10, 60, 20]
    assert sizes == [2, 2]  # 1 and 2, then 5 and 6


def test_nothing_to_run() -> None:
    assert runner(12).run_all([], recording([], lambda inputs: None)) == []


def test_an_item_that_fails_fails_alone() -> None:
    error = ValueError("three")
    sizes: list[int] = []
    packs = runner(100)
    rows = packs.run_all(items(1, 3, 2), recording(sizes, lambda inputs: error if 3 in inputs else None))
    assert rows == [10, error, 20]
    assert sizes == [3, 1, 1, 1]
    assert packs.budget == 100


def test_out_of_memory_halves_the_pack_and_the_budget() -> None:
    import torch

    full = torch.OutOfMemoryError("full")
    sizes: list[int] = []
    packs = runner(100)
    rows = packs.run_all(
        items(7, 7, 7, 7), recording(sizes, lambda inputs: full if len(inputs) > 1 else None)
    )
    assert rows == [70, 70, 70, 70]
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    assert packs.budget == 7


def test_the_budget_stays_where_nothing_can_be_measured() -> None:
    packs = runner(512)
    packs.measure_budget(items(64)[0], recording([], lambda inputs: RuntimeError("no such row")))
    assert packs.budget == 512


def test_no_larger_pack_is_tried_when_memory_is_full() -> None:
    import torch

    sizes: list[int] = []
    full = torch.OutOfMemoryError("full")
    packs = runner(512)
    packs.measure_budget(
        items(64)[0], recording(sizes, lambda inputs: full if len(inputs) > 4 else None), seconds=60
    )
    assert sizes == [1, 4, 4, 4, 8]  # 64 tokens, 256 three times, then 512
    assert packs.budget == 256


def test_a_model_that_is_slow_gets_the_smallest_pack_without_a_run_of_it() -> None:
    sizes: list[int] = []
    packs = runner(512)
    packs.measure_budget(
        items(64)[0], recording(sizes, lambda inputs: time.sleep(0.02 * len(inputs))), seconds=0.03
    )
    assert sizes == [1]  # 256 tokens would take 0.08 s
    assert packs.budget == 256


def test_a_pack_that_takes_long_is_run_once() -> None:
    sizes: list[int] = []
    packs = runner(512)
    packs.measure_budget(
        items(64)[0], recording(sizes, lambda inputs: time.sleep(0.03 * len(inputs))), seconds=60
    )
    assert sizes == [1, 4, 8, 16]  # 0.12 s and more each; the fourth is no faster than the second
