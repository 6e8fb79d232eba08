"""What orjson reads is what Python's parser reads; what it would read otherwise, Python's parser reads."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.serving.envelope.torchserve_worker import import_torchserve


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


class TwiceError(Exception):
    """An object has a field twice."""


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise TwiceError
    return dict(pairs)


def outcome(read: Any) -> Any:
    """The value, with the types of its numbers, or the error."""
    try:
        return repr(read())
    except RecursionError:
        return "too deep"
    except Exception as error:
        return type(error).__name__, str(error)


def both(text: str) -> tuple[Any, Any]:
    from ts.torch_handler.request_envelope.instances.quick_json import read_json

    return outcome(lambda: read_json(text, object_of)), outcome(
        lambda: json.loads(text, object_pairs_hook=object_of)
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}', '[{"b": {"a": 1, "b": [{"a": ":", "a": 2}]}}]', '{"a:b": ":\\":", "c": "\\\\"}',
        "18446744073709551616", "[1, 9223372036854775808]", "[-9223372036854775809, 0.5]", "9" * 5000,
        "1e999", "-0", "-0.0", "NaN", "[Infinity]", "1E5", "0.1000000000000000055511151231257827",
        '"\\ud800"', '"\\ud83d\\ude00"', "\ufeff[]", "", " ", "[1,]", "{1: 2}", "tru", "[" * 600 + "]" * 600,
        "[" * 5000 + "]" * 5000, '{"a": ' * 1010 + "1" + "}" * 1010, '"\x01"', "[1] 2",
    ],
    ids=lambda text: repr(text)[:24],
)  # fmt: skip
def test_every_kind_of_text(text: str) -> None:
    quick, usual = both(text)
    assert quick == usual


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES, st.booleans())
@settings(deadline=None, max_examples=200)
def test_any_value(value: Any, in_ascii: bool) -> None:
    quick, usual = both(json.dumps(value, ensure_ascii=in_ascii))
    assert quick == usual
