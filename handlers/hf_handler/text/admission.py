"""What is to be tokenized, counted before it is."""

from collections.abc import Sequence
from typing import Any

from hf_handler.bounds import REQUEST_CHARACTERS, REQUEST_ROWS
from hf_handler.items import Query
from hf_handler.schema import Refused


def characters(value: Any) -> int:
    """Return how many characters the texts in a value have: a text, or JSON with texts in it."""
    if isinstance(value, str):
        return len(value)
    count, inner = 0, [value]
    while inner:  # not by recursion: what a client sends may be nested deeply
        one = inner.pop()
        if isinstance(one, str):
            count += len(one)
        elif isinstance(one, dict):
            inner += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            inner += one
    return count


def count_texts(query: Query, texts: Sequence[Any]) -> None:
    """Count what a query's work begins with.

    Args:
        query: Whose work it is.
        texts: What becomes a row of tokens each: texts, tuples of texts, conversations or tables.

    Raises:
        Refused: Its request has too much of it, or no time left.
    """
    query.allowance.check()
    query.allowance.take(REQUEST_ROWS, len(texts) - 1)  # the instance itself was counted when it was read
    query.allowance.take(REQUEST_CHARACTERS, sum(map(characters, texts)))


def admit(queries: Sequence[Query], texts: Sequence[Sequence[Any]]) -> list[Query]:
    """Count as `count_texts` does, all of them first, and set the `failure` of those refused.

    Args:
        queries: Some may have failed before.
        texts: For each query, as above.

    Returns:
        The queries whose texts may be tokenized. A request that has too much has none among them.
    """
    for query, several in zip(queries, texts, strict=True):
        if query.failure is None:
            try:
                count_texts(query, several)
            except Refused as error:
                query.failure = error
    for query in queries:
        if query.failure is None:
            query.failure = query.allowance.refusal()
    return [query for query in queries if query.failure is None]
