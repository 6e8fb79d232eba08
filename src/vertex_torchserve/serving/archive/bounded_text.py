"""Read JSON and YAML within limits, so that every file an archive brings is read or refused, in bounded time.

A short file can nest deeper than Python's stack, hold a number that no float can, or, by YAML's aliases,
stand for more values than the memory holds. YAML's limits stand in `bounded_yaml`, which needs pyyaml.
"""

import json
import math
from pathlib import Path
from typing import Any

# Far more than anybody writes; Python's own parser, and what compares values, stop at about 900.
MOST_JSON_LEVELS = 100
MOST_DIGITS = 308  # every whole number of so many digits fits a float, the largest of which is 1.8e308
_MOST_SHOWN_CHARACTERS = 80


class UnreadableError(Exception):
    """A text is not of its format, or beyond a limit.

    Its message follows the text's name in a sentence: "holds ...; ... is accepted".
    """


def read_start(file: Path, most_bytes: int) -> bytes:
    """A file's bytes, one more than may be in it at most: what is too long is not read whole."""
    with file.open("rb") as stream:
        return stream.read(most_bytes + 1)


def require_size(text: bytes, most_bytes: int) -> None:
    """Refuse a text that is too long.

    Raises:
        UnreadableError: It has more than `most_bytes`.
    """
    if len(text) > most_bytes:
        raise UnreadableError(f"has more than {most_bytes:,} bytes, the most that is accepted")


def require_levels(value: Any, most_levels: int) -> None:
    """Refuse a value that is nested too deep; level by level, without recursion.

    Raises:
        UnreadableError: It nests more than `most_levels` lists and objects in each other.
    """
    level = [value]
    for _ in range(most_levels + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.append(each.values())
            elif isinstance(each, list | tuple):
                inner.append(each)
        if not inner:
            return
        level = [each for values in inner for each in values]
    raise too_deep(most_levels)


def too_deep(most_levels: int) -> UnreadableError:
    """The refusal of what nests too deep."""
    return UnreadableError(
        f"nests more than {most_levels} lists and objects in each other, the most that is accepted"
    )


def too_many_digits(number: str) -> UnreadableError:
    """The refusal of a number that is written with too many digits."""
    return UnreadableError(
        f"holds a number of {len(number):,} digits ({shortened(number, 20)}); at most {MOST_DIGITS} are "
        "accepted"
    )


def read_json(text: bytes, most_bytes: int) -> Any:
    """The value of a JSON text.

    Raises:
        UnreadableError: It is not JSON, or is larger, deeper or holds greater numbers than is accepted.
    """
    require_size(text, most_bytes)
    try:
        value = json.loads(text, parse_int=_whole_number, parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise too_deep(MOST_JSON_LEVELS) from None
    except ValueError as error:
        raise UnreadableError(f"is not JSON: {error}") from None
    require_levels(value, MOST_JSON_LEVELS)
    return value


def shortened(text: str, most: int = _MOST_SHOWN_CHARACTERS) -> str:
    """A text for a message: its beginning when it is long."""
    return text if len(text) <= most else f"{text[:most]}..."


def _whole_number(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise too_many_digits(text)
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise UnreadableError(f"holds the number {shortened(text)}; at most 1.797e308 is accepted")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
