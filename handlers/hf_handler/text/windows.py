"""Long texts in several rows of tokens that overlap."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from hf_handler.items import Item
from hf_handler.schema import Parameters


def windows(
    tokenizer: Any,
    texts: Sequence[tuple[str, ...]],
    cuts: Sequence[tuple[int, int]],
    strategy: str = "longest_first",
) -> list[list[Item]]:
    """Tokenize texts into windows: rows of limited length that together hold the whole text.

    A tokenizer written in Python (not "fast") can't do so: its text is one row, cut at the limit.

    Args:
        tokenizer: Of transformers.
        texts: One text, or a pair of texts, each.
        cuts: For each text, the tokens of the longest row, and how many of them neighbouring rows share.
        strategy: Which of a pair is spread over the windows; transformers' names for `truncation`.

    Returns:
        The items of each text, `length` in tokens. Their `source` is the row's encoding: `ids`, `tokens`,
        `offsets` (in characters of the text; None when the tokenizer tells none), `special_tokens_mask`.
    """
    work: list[list[Item]] = [[] for _ in texts]
    together: dict[tuple[int, int], list[int]] = {}
    for index, cut in enumerate(cuts):
        together.setdefault(cut, []).append(index)
    for (max_length, stride), members in together.items():
        columns = [list(column) for column in zip(*(texts[index] for index in members), strict=True)]
        options = {"truncation": strategy, "max_length": max_length, "return_special_tokens_mask": True}
        if not tokenizer.is_fast:
            for index, *text in zip(members, *columns, strict=True):
                work[index].append(_slow_window(tokenizer, text, options))
            continue
        encoded = tokenizer(*columns, stride=stride, return_overflowing_tokens=True, **options)
        for encoding, member in zip(encoded.encodings, encoded["overflow_to_sample_mapping"], strict=True):
            row = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
            inputs = {name: row[name] for name in row if name in tokenizer.model_input_names}
            work[members[member]].append(Item(inputs, len(encoding.ids), source=encoding))
    return work


def _slow_window(tokenizer: Any, text: list[str], options: Parameters) -> Item:
    """Return the one row that a tokenizer written in Python makes of a text; it tells no offsets."""
    encoded = tokenizer(*text, **options)
    ids = list(encoded["input_ids"])
    inputs = {name: list(encoded[name]) for name in ("input_ids", "token_type_ids") if name in encoded}
    source = SimpleNamespace(
        ids=ids, tokens=tokenizer.convert_ids_to_tokens(ids), offsets=None,
        special_tokens_mask=encoded["special_tokens_mask"],
    )  # fmt: skip
    return Item(inputs, len(ids), source=source)
