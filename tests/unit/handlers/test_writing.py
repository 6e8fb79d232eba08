"""Parts of the tasks that write: plans, stop strings, and a conversation with its answer."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

HANDLERS = Path(__file__).parents[3] / "handlers"


@pytest.fixture(scope="module")
def part() -> Iterator[Callable[[str], Any]]:
    """Imports a module of the handler by its name there."""
    with pytest.MonkeyPatch.context() as environment:  # the handler sets both: put them back afterwards
        environment.setenv("HF_HUB_OFFLINE", "1")
        environment.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        environment.syspath_prepend(str(HANDLERS))
        yield lambda name: importlib.import_module(f"hf_handler.{name}")
    for name in list(sys.modules):
        if name.partition(".")[0] == "hf_handler":
            del sys.modules[name]


def test_plans_are_equal_where_nothing_is_drawn_from_a_seed(part: Callable[[str], Any]) -> None:
    plan = part("plans").Plan.of
    options = {"top_k": 5, "do_sample": True}
    assert plan(options) == plan(dict(reversed(options.items())))
    assert len({plan(options), plan(options)}) == 1
    assert plan(options).options == (("do_sample", True), ("top_k", 5))
    assert plan(options) != plan(options, stop=("a",)) != plan(options, shapes=(1, 2))
    assert plan(options, seed=7) != plan(options, seed=7)
    assert plan(options, alone=True) != plan(options, alone=True)
    # Seed 0 is a seed.
    assert plan(options, seed=0) != plan(options, seed=0)


def test_items_with_a_seed_have_a_pack_each(part: Callable[[str], Any]) -> None:
    item, plan = part("items").Item, part("plans").Plan.of
    seeds = [7, None, 7, None, 7, 8]
    items = [item({}, 1, plan({}, seed=seed)) for seed in seeds]
    assert list(part("packs").packs_of(items, 100)) == [[0], [1, 3], [2], [4], [5]]


def test_a_text_ends_before_the_first_stop_string(part: Callable[[str], Any]) -> None:
    stopping = part("text.stop_strings")
    assert stopping.stop_strings({}) == ()
    assert stopping.stop_strings({"stop": "ab"}) == ("ab",)
    assert stopping.stop_strings({"stop": ["a", "b"]}) == ("a", "b")
    assert stopping.without_stop("one two three", ("three", "tw")) == "one "
    assert stopping.without_stop("one two", ("four",)) == "one two"


QUESTION = {"role": "user", "content": "Who?"}


@pytest.mark.parametrize(
    ("given", "parameters", "whole"),
    [
        ("Once", {}, "Once upon"),
        ([QUESTION], {}, [QUESTION, {"role": "assistant", "content": " upon"}]),
        (
            [QUESTION, {"role": "assistant", "content": "Once", "name": "x"}],
            {},
            [QUESTION, {"role": "assistant", "content": "Once upon", "name": "x"}],
        ),
        (
            [{"role": "assistant", "content": "Once"}],
            {"continue_final_message": False},
            [{"role": "assistant", "content": "Once"}, {"role": "assistant", "content": " upon"}],
        ),
        ([QUESTION], {"continue_final_message": True}, [{"role": "user", "content": "Who? upon"}]),
        (
            [{"role": "assistant", "content": [{"type": "image"}, {"type": "text", "text": "Once"}]}],
            {},
            [{"role": "assistant", "content": [{"type": "image"}, {"type": "text", "text": "Once upon"}]}],
        ),
    ],
    ids=["text", "answer", "continued", "not continued", "continued for the user", "parts"],
)
def test_what_is_written_goes_behind_what_was_given(
    part: Callable[[str], Any], given: Any, parameters: dict[str, Any], whole: Any
) -> None:
    query = part("items").Query({"text": given}, parameters)
    assert part("text.conversation").Conversation.of(query).with_answer(" upon") == whole
