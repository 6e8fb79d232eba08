"""A numpy array or a torch tensor as JSON, without a Python object for each of its numbers."""

import json
from collections.abc import Sequence
from typing import Any

import orjson


def array_json(array: Any) -> str:
    """Write an array as JSON: each number with the fewest digits that give it back in the array's own type.

    So a float32 is read back bit for bit, and 0.1 is written `0.1`, where a list of Python's numbers has
    0.10000000149011612.

    Args:
        array: Of numpy or torch, of any shape and on any device; or anything else that has `tolist`.

    Raises:
        TypeError: Its numbers are none that JSON has.
        ValueError: One of them is NaN or infinity.
    """
    try:
        text = orjson.dumps(_of_numpy(array), option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # no array of numpy, or one of dates, of texts, of no dimension
        return json.dumps(array.tolist(), allow_nan=False)
    return _of_finite(text)


def arrays_json(arrays: Sequence[Any]) -> str:
    """Write arrays as one JSON list; what `array_json` says of one holds for each.

    Raises:
        TypeError, ValueError: As `array_json`.
    """
    try:
        text = orjson.dumps(list(map(_of_numpy, arrays)), option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return f"[{', '.join(map(array_json, arrays))}]"
    return _of_finite(text)


def _of_finite(text: bytes) -> str:
    if b"n" in text:  # of null, as orjson writes what JSON has no number for; in no number, true or false
        raise ValueError("Out of range float values are not JSON compliant")
    return text.decode("ascii")


def _of_numpy(array: Any) -> Any:
    if hasattr(array, "numpy"):
        try:
            array = array.numpy(force=True)
        except TypeError:  # numpy has no bfloat16
            array = array.float().numpy(force=True)
    if not hasattr(array, "flags"):
        return array  # no array of numpy
    # orjson reads a scalar, not an array of no dimension, and only arrays without gaps.
    return array[()] if array.ndim == 0 else array if array.flags.c_contiguous else array.copy()
