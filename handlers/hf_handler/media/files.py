"""Files in an instance: the spellings they come in, and their bytes."""

import base64
from collections.abc import Sequence

from hf_handler.media.fetching import fetch
from hf_handler.schema import Refused, Schema

# A file, sent as {"b64": "..."}; `open_media` makes bytes of every spelling of it.
MEDIA: Schema = {
    "type": "object",
    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["b64"],
}


def is_file(value: object) -> bool:
    """Whether a value is a file in one of its spellings: `{"b64": ...}`, `{"data": ...}` around one."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return isinstance(value.get("b64"), str) or isinstance(value.get("data"), dict | bytes | bytearray)


# What else may stand for a file: base64 by itself, a data: URL, or the https URL of an allowed host.
PICTURE: Schema = {"anyOf": [MEDIA, {"type": "string"}]}


def from_base64(text: str) -> bytes:
    """Decode base64, line breaks and all.

    Raises:
        Refused: It is something else.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise Refused("b64 is not valid base64") from None


def from_text(text: str, hosts: Sequence[str]) -> bytes:
    """Return the file a text stands for: base64, a `data:` URL, or an https URL. Never a path.

    Raises:
        Refused: It is none of them, or a URL whose host is not one of `hosts`.
    """
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise Refused("a data: URL must hold base64")
    elif "://" in text[:12]:
        return fetch(text, hosts)
    return from_base64(text)
