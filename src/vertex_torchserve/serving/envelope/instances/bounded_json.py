"""JSON that is counted while it is written, so that an answer that is too long costs little."""

import json
import math
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import orjson

from .array_json import array_json, arrays_json

# Elements of a list or an object, and bytes, that are written at once.
_ELEMENTS = 1000
_SHORT_BYTES = 65_536
_NUMBERS_AT_ONCE = 65_536  # of arrays that stand side by side
_FEW_NUMBERS = 16  # of an array that is written with what is around it
# The least that an element of a list takes: a digit, a comma and a space, which the last one hasn't.
_ELEMENT_BYTES, _SEPARATOR_BYTES = 3, 2
_BYTES = bytes | bytearray
_NUMBERS = frozenset({int, float, bool, type(None)})


class TooLongError(Exception):
    """The JSON would be longer than it may be."""


def bounded_json(value: Any, most_bytes: int = sys.maxsize) -> str:
    """Write a value as JSON, in ASCII; arrays, tensors and their scalars become lists and numbers.

    Bytes become `{"b64": "..."}`, as a request has them.

    Args:
        value: What Python's `json` takes, bytes, and all that has `tolist`.
        most_bytes: How long it may be. What is longer is written up to there and a little more.

    Raises:
        TooLongError: It would be longer.
        TypeError, ValueError, RecursionError: As `json.dumps` raises them, also for NaN and infinity.
    """
    pieces: list[str] = []
    left = most_bytes
    for piece in _pieces(value, most_bytes):
        left -= len(piece)
        if left < 0:
            raise TooLongError
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Any, most_bytes: int, around: frozenset[int] = frozenset()) -> Iterator[str]:
    """The text of a value, a piece at a time.

    Args:
        value: The value.
        most_bytes: How long it may be.
        around: The ids of the lists and objects that it is in.
    """
    if _least_bytes(value) > most_bytes:
        raise TooLongError
    if hasattr(value, "tolist"):
        yield array_json(value)
        return
    if type(value) is str and len(value) > _SHORT_BYTES:
        yield _long_text(value)
        return
    if not isinstance(value, list | tuple | dict) or _seems_short(value):
        yield _ENCODER.encode(value)
        return
    if id(value) in around:
        raise ValueError("Circular reference detected")  # Python's words for it
    around |= {id(value)}
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening
    if len(value) <= _ELEMENTS:
        yield from _inner_pieces(value, most_bytes, around)
    else:
        separator = ""
        items = list(value.items()) if isinstance(value, dict) else value
        for begin in range(0, len(items), _ELEMENTS):
            part = items[begin : begin + _ELEMENTS]
            group = dict(part) if isinstance(value, dict) else part
            yield separator
            if _seems_short(group):
                yield _ENCODER.encode(group)[1:-1]
            else:
                yield from _inner_pieces(group, most_bytes, around)
            separator = ", "
    yield closing


def _least_bytes(value: Any) -> int:
    """How long its text is at least, by what is known before it is written."""
    if isinstance(value, _BYTES):
        return len(value)
    elements = _elements(value) if hasattr(value, "tolist") else 0
    if isinstance(value, list | tuple | dict):
        elements = len(value)
    return _ELEMENT_BYTES * elements - _SEPARATOR_BYTES


def _long_text(text: str) -> str:
    """A string as Python's encoder writes it: orjson does so of ASCII, but for the last of its characters."""
    if text.isascii() and "\x7f" not in text:
        return orjson.dumps(text).decode()
    return _ENCODER.encode(text)


def _inner_pieces(group: Any, most_bytes: int, around: frozenset[int]) -> Iterator[str]:
    """Some elements of a list or an object that are not short, with what separates them."""
    separator = ""
    if isinstance(group, list) and all(hasattr(item, "tolist") for item in group):
        for several in _few_at_a_time(group, most_bytes):
            yield separator + arrays_json(several)[1:-1]
            separator = ", "
        return
    for item in group:
        key = _ENCODER.encode({item: 0})[1:-2] if isinstance(group, dict) else ""  # with the colon
        yield separator + key
        yield from _pieces(group[item] if isinstance(group, dict) else item, most_bytes, around)
        separator = ", "


def _few_at_a_time(arrays: list[Any], most_bytes: int) -> Iterator[list[Any]]:
    """Yield arrays that are written at once, of `_NUMBERS_AT_ONCE` together; a larger one by itself.

    Raises:
        TooLongError: One alone is too long.
    """
    several: list[Any] = []
    numbers = 0
    for array in arrays:
        if _least_bytes(array) > most_bytes:
            raise TooLongError
        count = _elements(array)
        if several and numbers + count > _NUMBERS_AT_ONCE:
            yield several
            several, numbers = [], 0
        several.append(array)
        numbers += count
    yield several


def _seems_short(value: Any) -> bool:
    """Whether nothing says that it is long: numbers of elements, lengths of texts, arrays."""
    size = 0
    unread = [value]
    while unread:
        item = unread.pop()
        if isinstance(item, str | _BYTES):
            size += len(item)
        elif isinstance(item, list | tuple | dict):
            size += _ELEMENT_BYTES * len(item)
            if isinstance(item, dict):
                unread.extend(key for key in item if isinstance(key, str))
            elements = item.values() if isinstance(item, dict) else item
            if size <= _SHORT_BYTES and not _NUMBERS.issuperset(map(type, elements)):
                unread.extend(elements)
        elif hasattr(item, "tolist") and _elements(item) > _FEW_NUMBERS:
            return False
        if size > _SHORT_BYTES:
            return False
    return True


def _elements(array: Any) -> int:
    """How many numbers there are in a numpy array or a torch tensor; neither library is imported for it."""
    return math.prod(getattr(array, "shape", ()))


def _plain(value: Any) -> Any:
    if isinstance(value, _BYTES):
        return {"b64": b64encode(value).decode("ascii")}  # as it is read (request.py)
    if hasattr(value, "tolist"):
        return json.loads(array_json(value))
    raise TypeError(f"{type(value).__name__} is not a JSON type")


# Made once: `json.dumps` would make one for every value.
_ENCODER = json.JSONEncoder(default=_plain, allow_nan=False)
