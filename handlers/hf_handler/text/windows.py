"""Long texts in several rows of tokens that overlap."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from hf_handler.bounds import REQUEST_ROWS
from hf_handler.items import Item, Query
from hf_handler.schema import Parameters, TooMuch
from hf_handler.text.tokens import tokenize


class Cut(NamedTuple):
    """How a text is cut.

    Attributes:
        length: Tokens of the longest row.
        shared: How many of them neighbouring rows share.
        step: How many of the text's tokens each row has that the one before hasn't; at least 1.
    """

    length: int
    shared: int
    step: int


def windows(
    tokenizer: Any,
    queries: Sequence[Query],
    texts: Sequence[tuple[str, ...]],
    cuts: Sequence[Cut],
    strategy: str = "longest_first",
) -> list[list[Item]]:
    """Tokenize texts into windows: rows of limited length that together hold the whole text.

    A tokenizer written in Python (not "fast") can't do so: its text is one row, cut at the limit.

    Args:
        tokenizer: Of transformers.
        queries: One for each text, which `admit` has counted; its `failure` is set where its request has too
            many windows.
        texts: One text, or a pair of texts, each.
        cuts: How each is cut.
        strategy: Which of a pair is spread over the windows; transformers' names for `truncation`.

    Returns:
        The items of each text, `length` in tokens; none where its query has failed. Their `source` is the
        row's encoding: `ids`, `tokens`, `offsets` (in characters of the text; None when the tokenizer tells
        none), `special_tokens_mask`.
    """
    work: list[list[Item]] = [[] for _ in texts]
    together: dict[tuple[int, int], list[int]] = {}
    for index, (query, text, cut) in enumerate(zip(queries, texts, cuts, strict=True)):
        if query.failure is None and (not tokenizer.is_fast or fits(tokenizer, query, text, cut.step)):
            together.setdefault((cut.length, cut.shared), []).append(index)
    for (max_length, stride), members in together.items():
        columns = [list(column) for column in zip(*(texts[index] for index in members), strict=True)]
        options = {"truncation": strategy, "max_length": max_length, "return_special_tokens_mask": True}
        if not tokenizer.is_fast:
            for index, *parts in zip(members, *columns, strict=True):
                work[index].append(_slow_window(tokenizer, parts, options))
            continue
        encoded = tokenizer(*columns, stride=stride, return_overflowing_tokens=True, **options)
        for encoding, member in zip(encoded.encodings, encoded["overflow_to_sample_mapping"], strict=True):
            row = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
            inputs = {name: row[name] for name in row if name in tokenizer.model_input_names}
            work[members[member]].append(Item(inputs, len(encoding.ids), source=encoding))
    for query, items in zip(queries, work, strict=True):
        if len(items) > 1:
            _count(query, len(items) - 1)
    return [[] if query.failure else items for query, items in zip(queries, work, strict=True)]


def fits(tokenizer: Any, query: Query, text: Sequence[str], step: int) -> bool:
    """Whether a query's request may have all windows of a text; its `failure` is set where it may not.

    Args:
        tokenizer: Of transformers.
        query: Whose text it is.
        text: Its parts: a text and its pair, or words.
        step: How many tokens each window has that the one before hasn't.
    """
    left = query.allowance.left(REQUEST_ROWS)
    if sum(len(part.encode()) for part in text) // step > left:  # a token has a byte at least
        special = tokenizer.num_special_tokens_to_add()
        tokens = sum(len(row["input_ids"]) - special for row in tokenize(tokenizer, text))
        if tokens // step > left:
            _count(query, tokens // step)
    return query.failure is None


def _count(query: Query, windows: int) -> None:
    try:
        query.allowance.take(REQUEST_ROWS, windows)
    except TooMuch as error:
        query.failure = error


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
