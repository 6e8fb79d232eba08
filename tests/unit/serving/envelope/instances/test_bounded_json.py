"""JSON in pieces is what `json.dumps` writes, and what is too long is not written to its end."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.serving.envelope.torchserve_worker import import_torchserve


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


def write(value: Any, *most: int) -> str:
    from ts.torch_handler.request_envelope.instances.bounded_json import bounded_json

    text: str = bounded_json(value, *most)
    return text


NOTHING = re.compile("^$")  # TooLongError's message
LONG = "x" * 40_000
VALUES = [
    [],
    {},
    (),
    "",
    0.1,
    None,
    [0.1] * 100_000,
    [[0.1, 2, None, True]] * 30_000,
    [list(range(50_000)), [], {}, "a", list(range(50_000))],
    ([LONG, LONG, "a"], (LONG, [LONG])),
    {"a": [1.5] * 50_000, "b": {"c": [LONG, LONG]}, "d": 1},
    {str(number): number for number in range(50_000)},
    {1: "a", None: "b", False: [LONG, LONG], 0.5: {}},
    {LONG: {LONG: LONG}, '"\u00e9\n': LONG + "\ud800"},
    [{"label": "é", "score": 0.25}] * 20_000,
    [[[[[[LONG, LONG]]]]]],
    "".join(map(chr, range(127))) * 600,
    ["".join(map(chr, range(128))) * 600, "\u00e9" * 70_000],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_it_is_what_json_writes(value: Any) -> None:
    expected = json.dumps(value)
    assert write(value) == expected
    assert write(value, len(expected)) == expected
    with pytest.raises(Exception, match=NOTHING) as caught:
        write(value, len(expected) - 1)
    assert type(caught.value).__name__ == "TooLongError"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([1, 999, 1001, 2001]),
)
@settings(deadline=None, max_examples=50)
def test_it_is_what_json_writes_of_anything(value: Any, copies: int) -> None:
    assert write([value] * copies) == json.dumps([value] * copies)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (numpy.arange(3), "[0,1,2]"),
        ([torch.tensor([[0.5]]), numpy.float32(0.5)], "[[[0.5]], 0.5]"),
        ({"a": numpy.zeros((2, 0))}, '{"a": [[], []]}'),
        ([numpy.arange(17), LONG], f'[[{",".join(map(str, range(17)))}], "{LONG}"]'),
        # Of columns, of every other number, of numbers in another order of bytes
        (numpy.arange(40).reshape(2, 20).T[:2], "[[0,20],[1,21]]"),
        (numpy.arange(40)[::20], "[0,20]"),
        (numpy.array([1, 2], ">f4"), "[1.0, 2.0]"),
        # As few digits as give back the number in its own type
        ([numpy.float32(0.1), numpy.float64(0.1), torch.tensor(0.1)], "[0.1, 0.1, 0.1]"),
        (torch.tensor([0.1, 1e-7, 3.4e38]), "[0.1,1e-7,3.4e+38]"),
        (torch.tensor([0.1], dtype=torch.bfloat16), "[0.100097656]"),
        (torch.ones(1, requires_grad=True), "[1.0]"),
        (
            {"a": torch.tensor([True]), "b": numpy.array(["\u00e9", "null"])},
            '{"a": [true], "b": ["\\u00e9", "null"]}',
        ),
    ],
    ids=repr,
)
def test_arrays_become_lists(value: Any, text: str) -> None:
    assert write(value) == text


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=20))
@settings(deadline=None, max_examples=50)
def test_a_float32_is_read_back_bit_for_bit(numbers: list[float]) -> None:
    written = numpy.array(numbers, numpy.float32)
    for found in (json.loads(write(written)), json.loads(write(list(written)))):
        assert numpy.array(found, numpy.float32).tobytes() == written.tobytes()


def test_many_arrays_side_by_side_are_one_list() -> None:
    rows = numpy.arange(70_000, dtype=numpy.float32).reshape(70, 1000)
    ragged = [
        *rows,
        numpy.array([0.5] * 20, "f4"),
        torch.ones(70_000),
        numpy.array(["a"] * 20),
        numpy.float32(2),
    ]
    expected = json.dumps([each.tolist() for each in ragged])
    assert json.loads(write(ragged)) == json.loads(expected)
    assert json.loads(write({"a": [rows, rows]})) == {"a": [rows.tolist()] * 2}
    with pytest.raises(Exception, match=NOTHING):
        write(ragged, 400_000)


class Counted(dict[str, Any]):
    """Tells how many of its items were asked for."""

    asked = 0

    def __getitem__(self, name: str) -> Any:
        type(self).asked += 1
        return super().__getitem__(name)


def test_what_is_too_long_is_not_written_to_its_end() -> None:
    last = Counted(a=[LONG] * 10)
    with pytest.raises(Exception, match=NOTHING):
        write([[0.123456789] * 1_000_000, last], 500_000)
    assert Counted.asked == 0
    write([[0.5], last])
    assert Counted.asked > 0


class Unread(list[int]):
    """A list that is too long to be written."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("it is read")

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("it is read")


def test_a_list_of_too_many_elements_is_never_begun() -> None:
    ones = [1] * 100_000  # 300,000 bytes, "[1, 1, ..., 1]"
    assert len(write(ones, 300_000)) == 300_000
    with pytest.raises(Exception, match=NOTHING):
        write({"predictions": Unread(ones)}, 299_990)


class Unreadable:
    """An array that is too large to become a list."""

    shape = (5_000_000,)

    def tolist(self) -> list[float]:
        raise AssertionError("it became a list")


def test_an_array_that_is_too_large_never_becomes_a_list() -> None:
    with pytest.raises(Exception, match=NOTHING):
        write([Unreadable()], 10_551_296)


def cycle() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


def faults() -> Iterator[tuple[Any, type[Exception]]]:
    yield [math.nan], ValueError
    yield [0.5] * 100_000 + [math.inf], ValueError
    yield numpy.array([0.5] * 20 + [math.nan]), ValueError
    yield {"a": numpy.float32(math.inf)}, ValueError
    yield [numpy.array([0.5] * 20), numpy.array([math.nan] * 20)], ValueError
    yield torch.tensor([1j]), TypeError
    yield [LONG, LONG, {1}], TypeError
    yield {"a": LONG, "b": LONG, (1,): 2}, TypeError
    yield cycle(), ValueError
    yield {"a": [LONG, LONG, cycle()]}, ValueError


@pytest.mark.parametrize(
    ("value", "error"), list(faults()), ids=lambda value: getattr(value, "__name__", "value")
)
def test_faults_are_those_of_json(value: Any, error: type[Exception]) -> None:
    with pytest.raises((error, RecursionError)):
        write(value)


def test_a_list_that_holds_itself_is_noticed_at_once() -> None:
    with pytest.raises(ValueError, match="Circular reference detected"):
        write(cycle())


@pytest.mark.parametrize("value", [b"\x89PNG", bytearray(b"\x89PNG")])
def test_bytes_are_written_as_a_request_has_them(value: bytes) -> None:
    assert write({"predictions": [value, 1]}) == '{"predictions": [{"b64": "iVBORw=="}, 1]}'
    with pytest.raises(Exception, match=NOTHING):
        write([bytes(1000)], 999)
