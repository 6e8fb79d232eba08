"""What a value is, and what a schema accepts, in words: for messages."""

import json
from collections.abc import Mapping
from typing import Any


def kind_of(value: object) -> str:
    """Return what a value is, for messages: the name of its type in Python, `null` or `a file`."""
    if isinstance(value, bytes | bytearray) or (isinstance(value, dict) and value.keys() == {"b64"}):
        return "a file"  # envelopes make bytes of {"b64": ...}
    return "null" if value is None else type(value).__name__


# How `wording` words a schema's bounds.
BOUNDS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "of at most",
    "minLength": "of length at least",
    "minItems": "of length at least",
}


def wording(schema: Mapping[str, Any]) -> str:
    """Return in words what a schema accepts: "a whole number of at least 1, or null"."""
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(wording(choice) for choice in schema["anyOf"]))
    if "enum" in schema:
        choices = [
            json.dumps(choice) if isinstance(choice, bool) else str(choice) for choice in schema["enum"]
        ]
        return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    words = {
        "string": "a string",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "an object",
        "null": "null",
    }[schema["type"]]
    bounds = [f"{text} {schema[bound]}" for bound, text in BOUNDS.items() if bound in schema]
    return f"{words} {bounds[0]}" + "".join(f" and {bound}" for bound in bounds[1:]) if bounds else words
