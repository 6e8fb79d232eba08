"""Where two answers differ: in structure, in a text, or in a number by more than a tolerance."""

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from vertex_torchserve.serving.archive.bounded_text import shortened


class Difference(NamedTuple):
    """One place where two answers differ.

    Attributes:
        path: Such as `predictions[0].label`.
        expected: What stands there in the answer that is expected.
        got: What stands there in the other.
        by: How far apart two numbers are; None for everything else.
        said: The difference in words.
    """

    path: str
    expected: Any
    got: Any
    by: float | None
    said: str


def differences(expected: Any, got: Any, path: str, tolerance: float) -> Iterator[Difference]:
    """Every place where `got` differs from `expected`, in the order of `expected`.

    The order of an object's fields does not count.

    Args:
        expected: A JSON value.
        got: Another.
        path: What the values are called, such as `predictions`.
        tolerance: How far numbers may differ: absolutely, or relative to the larger of the two.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        if expected.keys() != got.keys():
            fields = _shown(sorted(expected)), _shown(sorted(got))
            said = f"{path}: expected the fields {fields[0]}, got {fields[1]}"
            yield Difference(path, expected, got, None, said)
            return
        for name, value in expected.items():
            yield from differences(value, got[name], f"{path}.{shortened(name)}", tolerance)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            said = f"{path}: expected {len(expected)} values, got {len(got)}"
            yield Difference(path, expected, got, None, said)
            return
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(one, other, f"{path}[{index}]", tolerance)
    elif is_number(expected) and is_number(got):
        if not math.isclose(expected, got, rel_tol=tolerance, abs_tol=tolerance):
            said = f"{path}: expected {expected!r}, got {got!r}; the tolerance is {tolerance:g}"
            yield Difference(path, expected, got, abs(expected - got), said)
    elif type(expected) is not type(got) or expected != got:
        said = f"{path}: expected {_shown(expected)}, got {_shown(got)}"
        yield Difference(path, expected, got, None, said)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return shortened(json.dumps(value))
