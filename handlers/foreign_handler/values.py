"""Between the values of a request or an answer and what authors' code takes and returns."""

import copy
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from io import BytesIO
from typing import Any


def data_of(instance: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What an instance is for a server of Hugging Face: `{"inputs": ..., "parameters": ...}`.

    Args:
        instance: A value, which becomes `inputs`, or an object that has `inputs`, which stays as it is.
        parameters: Those of the request; the instance's own win.
    """
    has_inputs = isinstance(instance, Mapping) and "inputs" in instance
    data = dict(instance) if has_inputs else {"inputs": instance}
    own = data.get("parameters")
    if parameters and (own is None or isinstance(own, Mapping)):
        data["parameters"] = {**copy.deepcopy(dict(parameters)), **(own or {})}
    return data


def opened_image(content: bytes) -> Any:
    """A picture as `PIL.Image`, in RGB.

    Raises:
        ValueError: It is none that pillow can open.
    """
    from PIL import Image

    try:
        return Image.open(BytesIO(content)).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError("the picture can't be opened, or has too many pixels") from error


def as_json_value(value: Any) -> Any:
    """What the author's code returned, with pictures as PNG in base64 and dates as text.

    Arrays, tensors and bytes stay: the envelope writes them.
    """
    if isinstance(value, Mapping):
        return {key: as_json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json_value(each) for each in value]
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    return b64encode(picture_file(value)).decode() if is_picture(value) else value


def as_json(value: Any) -> str:
    """The same as JSON, arrays and tensors as lists, bytes as `{"b64": "..."}`.

    Raises:
        TypeError, ValueError: It has another type in it, or NaN or infinity.
    """
    return json.dumps(as_json_value(value), default=_json_type, allow_nan=False)


def is_picture(value: Any) -> bool:
    """Whether it is a picture of pillow."""
    return hasattr(value, "save") and type(value).__module__.partition(".")[0] == "PIL"


def picture_file(picture: Any, kind: str = "PNG") -> bytes:
    """A picture of pillow as a file.

    Args:
        picture: A `PIL.Image`.
        kind: What pillow calls the format.
    """
    content = BytesIO()
    picture.save(content, format=kind)
    return content.getvalue()


def _json_type(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return {"b64": b64encode(value).decode()}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a JSON type")
