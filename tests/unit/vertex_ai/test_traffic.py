"""Shares of traffic: whole percentages that add up to 100."""

import pytest

from vertex_torchserve.vertex_ai.traffic import with_share, without


@pytest.mark.parametrize(
    ("before", "model", "share", "after"),
    [
        ({}, "a", 100, {"a": 100}),
        ({}, "a", 10, {"a": 100}),
        ({"a": 100}, "a", 10, {"a": 100}),
        ({"a": 100}, "b", 10, {"a": 90, "b": 10}),
        ({"a": 100}, "b", 0, {"a": 100, "b": 0}),
        ({"a": 100}, "b", 100, {"a": 0, "b": 100}),
        ({"a": 90, "b": 10}, "b", 40, {"a": 60, "b": 40}),
        ({"a": 50, "b": 50, "c": 0}, "d", 5, {"a": 48, "b": 47, "c": 0, "d": 5}),
        ({"a": 34, "b": 33, "c": 33}, "d", 1, {"a": 33, "b": 33, "c": 33, "d": 1}),
    ],
)
def test_a_share_for_one(before: dict[str, int], model: str, share: int, after: dict[str, int]) -> None:
    assert with_share(before, model, share) == after


@pytest.mark.parametrize(
    ("before", "model", "heir", "after"),
    [
        ({"a": 90, "b": 10}, "b", "a", {"a": 100}),
        ({"a": 30, "b": 10, "c": 60}, "c", "a", {"a": 75, "b": 25}),
        ({"a": 0, "b": 100}, "b", "a", {"a": 100}),
        ({"b": 100}, "b", None, {}),
    ],
)
def test_one_that_goes(before: dict[str, int], model: str, heir: str | None, after: dict[str, int]) -> None:
    assert without(before, model, heir) == after
