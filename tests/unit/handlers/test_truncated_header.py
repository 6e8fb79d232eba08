"""The header that names the instances whose text was cut."""

import logging
import re
from collections.abc import Iterable

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


def header(cut: Iterable[int], instances: int) -> str | None:
    """What one request is told of its instances, of which those at these positions were cut."""
    from ts.context import Context, RequestProcessor

    from hf_handler.failures import report_truncated
    from hf_handler.items import Query

    context = Context("model", "/", None, 1, None, None)
    context.request_processor = [RequestProcessor({})]
    truncated = set(cut)
    queries = [Query({}, {}, 0, position in truncated) for position in range(instances)]
    report_truncated(queries, range(instances), context)
    text: str | None = context.get_response_headers(0).get("x-truncated")
    return text


@pytest.mark.parametrize(
    ("cut", "instances", "text"),
    [
        ([], 3, None),
        ([0], 1, "0"),
        ([1, 3], 4, "1,3"),
        ([0, 1, 2, 5], 7, "0-2,5"),
        ([3, 4, 8, 9], 10, "3-4,8-9"),
        (range(14_000), 14_000, "0-13999"),
    ],
)
def test_neighbours_are_named_together(cut: Iterable[int], instances: int, text: str | None) -> None:
    assert header(cut, instances) == text


def test_a_long_list_is_cut() -> None:
    text = header(range(0, 20_000, 2), 20_000)
    assert text is not None
    assert 1990 <= len(text) <= 2000
    assert text.startswith("0,2,4,")
    assert re.search(r",(\d+),\.\.\.$", text)


def test_an_envelope_that_does_not_tell_gets_no_header(caplog: pytest.LogCaptureFixture) -> None:
    from ts.context import Context

    from hf_handler.failures import report_truncated
    from hf_handler.items import Query

    with caplog.at_level(logging.WARNING):
        report_truncated(
            [Query({}, {}, None, truncated=True)], [0], Context("model", "/", None, 1, None, None)
        )
    assert "a text was cut; this service envelope doesn't tell whose" in caplog.text
