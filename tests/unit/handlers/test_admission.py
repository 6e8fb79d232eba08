"""A request with too much text is refused before any of its texts is tokenized."""

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")
MOST_CHARACTERS = 10


def queries_of_one_request(count: int) -> list[Any]:
    from hf_handler.allowance import Allowance
    from hf_handler.items import Query
    from hf_handler.settings import Settings

    allowance = Allowance(Settings(max_request_characters=MOST_CHARACTERS), instances=count)
    return [Query({}, {}, allowance=allowance) for _ in range(count)]


def test_no_text_of_a_request_with_too_much_is_let_through() -> None:
    from hf_handler.text.admission import admit

    greedy, neighbours = queries_of_one_request(3), queries_of_one_request(1)
    texts = [["a" * 6], ["b" * 6], ["c"], ["d" * MOST_CHARACTERS]]
    assert admit([*greedy, *neighbours], texts) == neighbours
    message = (
        "the request has 12 characters to tokenize (a text counts once for each of its labels), "
        "at most 10 are taken: send shorter texts, or fewer at a time; "
        "an operator can raise handler.max_request_characters"
    )
    assert [str(query.failure) for query in greedy] == [message] * 3


def test_texts_within_the_bound_are_let_through() -> None:
    from hf_handler.text.admission import admit

    queries = queries_of_one_request(2)
    assert admit(queries, [["a" * 4], ["b" * 6]]) == queries
