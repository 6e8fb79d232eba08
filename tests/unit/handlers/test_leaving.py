"""Rows that have ended take no part in a decoder's next steps, and change nothing for the others."""

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")

PROMPTS = [[5, 6, 7, 8], [9, 10], [11, 12, 13]]
LENGTHS = [2, 5, 3]
PADDING = 0


@pytest.fixture(scope="module")
def model() -> Any:
    """A Llama whose texts have no end of their own."""
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(2)
    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        initializer_range=0.3, pad_token_id=PADDING, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def written(model: Any, *, leave: bool, **options: Any) -> tuple[list[list[int]], list[int]]:
    """The new tokens of each prompt, and how many rows the model ran at each step."""
    import torch

    from hf_handler.text.leaving import Ended, Lengths, leaving

    width, cpu = max(map(len, PROMPTS)), torch.device("cpu")
    rows = torch.tensor([[PADDING] * (width - len(prompt)) + prompt for prompt in PROMPTS])
    ended = Ended([Lengths(width, LENGTHS, cpu)], [], cpu)
    sizes: list[int] = []

    def note(_module: Any, _args: Any, inputs: dict[str, Any]) -> None:
        sizes.append(len(inputs["input_ids"]))

    hook = model.model.register_forward_pre_hook(note, with_kwargs=True)
    torch.manual_seed(3)
    given = {"input_ids": rows, "attention_mask": (rows != PADDING).long(), "max_new_tokens": max(LENGTHS)}
    try:
        if leave:
            with leaving(model, ended):
                tokens = model.generate(**given, **options, stopping_criteria=[ended])
        else:
            tokens = model.generate(**given, **options)
    finally:
        hook.remove()
    found = [row[width : width + most] for row, most in zip(tokens.tolist(), LENGTHS, strict=True)]
    return found, sizes


@pytest.mark.parametrize(
    "options",
    [
        {"do_sample": False},
        {"do_sample": True, "temperature": 2.0},
        {"do_sample": False, "min_new_tokens": 5},
    ],
    ids=["greedy", "sampled", "least length"],
)
def test_texts_that_have_ended_are_run_no_further(model: Any, options: dict[str, Any]) -> None:
    expected, _ = written(model, leave=False, **options)
    found, sizes = written(model, leave=True, **options)
    assert found == expected
    assert [len(tokens) for tokens in found] == LENGTHS
    # The prompts; the first token of each is written. Then a step for each token more.
    assert sizes == [3, 3, 2, 1, 1]


def test_a_text_leaves_at_its_last_token(model: Any) -> None:
    import torch

    from hf_handler.text.leaving import Ended

    ended = Ended([], [7, 9], torch.device("cpu"))
    assert ended(torch.tensor([[1, 7], [1, 2], [9, 1]]), None).tolist() == [True, False, False]
    assert ended(torch.tensor([[1, 7, 1], [1, 2, 2], [9, 1, 9]]), None).tolist() == [True, False, True]


def test_a_model_whose_cache_is_not_known_runs_all_rows(model: Any) -> None:
    expected, _ = written(model, leave=False, do_sample=False)
    for cache in ({"use_cache": False}, {"cache_implementation": "static"}):
        found, sizes = written(model, leave=True, do_sample=False, **cache)
        assert found == expected
        assert sizes == [3] * 5


def test_nothing_stays_on_the_model(model: Any) -> None:
    import torch

    from hf_handler.text.leaving import Ended, leaving

    with pytest.raises(KeyError), leaving(model, Ended([], [], torch.device("cpu"))):
        raise KeyError
    assert not model._forward_pre_hooks
    assert not model._forward_hooks
