"""When two ways to run a model have been run often enough to tell which is faster."""

import time
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


@pytest.mark.parametrize(
    ("took", "settled"),
    [
        ([], False),
        ([0.010, 0.010, 0.010, 0.010], False),
        ([0.010, 0.010, 0.010, 0.010, 0.010], True),
        ([0.010, 0.0104, 0.0104, 0.020, 0.020], True),
        ([0.010, 0.0104, 0.020, 0.020, 0.020], False),  # two as short as the shortest
        ([0.200, 0.205], False),
        ([0.200, 0.205, 0.300], True),  # long runs
        ([0.200, 0.290, 0.300], False),
    ],
)
def test_runs_that_are_enough(took: list[float], settled: bool) -> None:
    from hf_handler.engines.trial import has_settled

    assert has_settled(took) == settled


@pytest.mark.parametrize(
    ("one", "other", "clear"),
    [
        ([], [], False),
        ([0.3], [], False),
        ([0.3], [0.2], True),
        ([0.2], [0.3], True),
        ([0.3], [0.25], False),
        ([0.03], [0.02], False),  # short runs
        ([0.5, 0.25], [0.2], False),  # the shortest counts
    ],
)
def test_long_runs_that_leave_no_doubt(one: list[float], other: list[float], clear: bool) -> None:
    from hf_handler.engines.trial import is_clear

    assert is_clear(one, other) == clear


def test_threads_are_decided_by_the_runs_that_are_compared_where_these_are_long() -> None:
    import torch

    from hf_handler.engines.trial import thread_decision

    runs: list[int] = []

    def model(**batch: Any) -> dict[str, Any]:
        runs.append(torch.get_num_threads())
        time.sleep(0.12 / torch.get_num_threads())
        return {"logits": batch["input_ids"]}

    short = {"input_ids": torch.ones(1, 3), "attention_mask": torch.ones(1, 3)}
    decision = thread_decision(model, short, own=1, most=2)
    assert runs == [1, 2]
    assert decision["lent"]
