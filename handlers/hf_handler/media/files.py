"""Files in an instance: the spellings they come in, and their bytes."""

import base64
from collections.abc import Sequence
from typing import Any

from hf_handler.bounds import REQUEST_IMAGES
from hf_handler.media.fetching import fetch
from hf_handler.schema import TEXT, Refused, Schema, list_of, record
from hf_handler.wording import kind_of

BASE64: Schema = {"type": "string", "contentEncoding": "base64"}

# By itself a text is base64, a data: URL, or the https URL of an allowed host.
B64_OR_TEXT: Schema = {"anyOf": [record({"b64": BASE64}), TEXT]}

# A file in any of its spellings.
FILE: Schema = {"anyOf": [*B64_OR_TEXT["anyOf"], record({"data": B64_OR_TEXT})]}

FILES: Schema = {"anyOf": [FILE, {**list_of(FILE), "minItems": 1, "maxItems": REQUEST_IMAGES}]}


def is_file(value: object) -> bool:
    """Whether an object stands for a file, `{"b64": ...}` or `{"data": ...}`, and is none of fields."""
    return isinstance(value, dict) and len(value) == 1 and ("b64" in value or "data" in value)


def open_file(value: Any, hosts: Sequence[str]) -> bytes:
    """Return the bytes of a file.

    Args:
        value: As `FILE` has it, or bytes.
        hosts: From which an https URL may be fetched.

    Raises:
        Refused: It is something else, or a URL of another host.
    """
    if isinstance(value, dict) and value.keys() == {"data"}:
        value = value["data"]
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str):
        return from_text(value, hosts)
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        return from_base64(value["b64"])
    raise Refused(f'expected a file as {{"b64": "..."}}, got {kind_of(value)}')


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
