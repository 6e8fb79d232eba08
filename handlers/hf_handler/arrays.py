"""Vectors as arrays of numpy until they are written: as lists, as JSON text, or as base64."""

import base64
import json
import re
import uuid
from typing import Any

import numpy

from hf_handler.optional import found
from hf_handler.schema import Schema

BASE64 = "base64"
ENCODING: Schema = {"type": "string", "enum": ["float", BASE64], "default": "float"}


def in_base64(vector: Any) -> str:
    """Return a vector as its 32-bit floats, little-endian, in base64: OpenAI's `encoding_format`."""
    return base64.b64encode(numpy.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def listed(value: Any) -> Any:
    """Return a prediction with lists in the place of arrays, for an envelope that takes nothing else."""
    if isinstance(value, numpy.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [listed(each) for each in value]
    if isinstance(value, dict):
        return {name: listed(each) for name, each in value.items()}
    return value


def json_text(value: Any) -> str:
    """Return a value as JSON; orjson, where it is here, writes arrays with as few digits as give them back.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    mark = uuid.uuid4().hex
    written: list[str] = []

    def noted(array: Any) -> str:
        written.append(array_text(array))
        return f"{mark}{len(written) - 1}"

    text = json.dumps(value, default=noted, allow_nan=False)
    return re.sub(f'"{mark}([0-9]+)"', lambda found: written[int(found[1])], text) if written else text


def array_text(array: numpy.ndarray) -> str:
    """Return an array as JSON.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    if not numpy.isfinite(array).all():
        raise ValueError("Out of range float values are not JSON compliant")
    orjson = found("orjson")
    if orjson is None:
        return json.dumps(array.tolist())
    text: bytes = orjson.dumps(numpy.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
    return text.decode("ascii")
