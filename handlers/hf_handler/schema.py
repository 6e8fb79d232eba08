"""JSON Schemas of what is sent and set, and the check whether a value is as its schema says."""

from collections.abc import Callable, Mapping
from typing import Any

from hf_handler.bounds import LABEL_CHARACTERS, REQUEST_ROWS, TEXT_CHARACTERS, Bound
from hf_handler.wording import kind_of, wording

Schema = Mapping[str, Any]
Fields = dict[str, Any]
Parameters = dict[str, Any]


class Refused(ValueError):  # noqa: N818 - it says what happened to the instance
    """An instance, or a request, is refused: the client has to change it. The message never quotes its text.

    Args:
        message: What was wrong, and what is accepted.
        status: HTTP's: 400 for what isn't as the schema says, 413 for a file that is too large, 415 for one
            of another format, 422 for what is as the schema says and still can't be processed, 504 for what
            took too long.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class TooMuch(Refused):
    """More of something than an operator lets pass."""


# Schemas that several tasks use.
TEXT: Schema = {"type": "string"}
INPUT_TEXT: Schema = {**TEXT, "maxLength": TEXT_CHARACTERS}
INPUT_TEXTS: Schema = {"type": "array", "items": INPUT_TEXT, "minItems": 1, "maxItems": REQUEST_ROWS}
INPUT_LABEL: Schema = {**TEXT, "maxLength": LABEL_CHARACTERS}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 1}
WHOLE: Schema = {"type": "integer", "minimum": 0}
NULL: Schema = {"type": "null"}
ALL_OR_COUNT: Schema = {"anyOf": [COUNT, NULL]}
# What a server that can do it is asked for, and this one can't.
NEVER: Schema = {"type": "boolean", "enum": [False]}
SCORE: Schema = {"type": "number"}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with these fields and no others.

    Args:
        required: The schema of each field that must be there.
        optional: The schema of each field that may be there.
    """
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        **({"required": list(required)} if required else {}),
        "additionalProperties": False,
    }


def list_of(items: Schema) -> Schema:
    """Return the schema of a list, of any length, of such items."""
    return {"type": "array", "items": items}


def or_several(schema: Schema) -> Schema:
    """Return the schema of what fits a schema, or of a list of such values."""
    choices = schema.get("anyOf", [schema])
    return {"anyOf": [*choices, {**list_of(schema), "minItems": 1, "maxItems": REQUEST_ROWS}]}


def takes_null(schema: Schema) -> bool:
    """Whether null is a value with a meaning, where a schema has it."""
    return NULL in schema.get("anyOf", ())


def or_null(schema: Schema) -> Schema:
    """Return the schema of what fits a schema, or of null."""
    if not schema or takes_null(schema):
        return schema
    rest = {key: value for key, value in schema.items() if key != "default"}
    return {"anyOf": [*rest.get("anyOf", [rest]), NULL], **{k: schema[k] for k in schema if k == "default"}}


def check(value: Any, schema: Schema, name: str) -> Any:
    """Return `value` as `schema` wants it: whole floats as integers.

    Args:
        value: Of JSON types.
        schema: A JSON Schema of the keywords that `verify_keywords` lets pass.
        name: What to call the value in a message.

    Raises:
        Refused: It is something else; the message says what is accepted and holds no text but short names.
    """
    if "anyOf" in schema:
        return _check_any(value, schema, name)
    checker = _CHECKS.get(schema.get("type", ""))
    return checker(value, schema, name) if checker else value


def _misfit(value: object, schema: Schema, name: str, shown: str | None = None) -> Refused:
    return Refused(f"{name} must be {wording(schema)}, got {shown or kind_of(value)}")


def at_most(count: int, bound: int, name: str, unit: str) -> None:
    """Make sure that something has no more than its bound.

    Args:
        count: How much it has.
        bound: The most that it may have.
        name: What to call it in a message.
        unit: Of what.

    Raises:
        Refused: It has more; `TooMuch` where an operator can raise the bound.
    """
    if count <= bound:
        return
    message = f"{name} must have at most {bound} {unit}, got {count}"
    if isinstance(bound, Bound):
        raise TooMuch(f"{message}; send fewer, or have the operator raise handler.{bound.setting}")
    raise Refused(message)


def _check_any(value: Any, schema: Schema, name: str) -> Any:
    too_much = None
    kind = next((name for kind, name in _KINDS.items() if isinstance(value, kind)), None)
    alike = [choice for choice in schema["anyOf"] if choice.get("type", kind) == kind]
    if kind and len(alike) == 1 and "enum" not in alike[0]:  # what is wrong with it is what this one says
        return check(value, alike[0], name)
    for choice in schema["anyOf"]:
        try:
            return check(value, choice, name)
        except TooMuch as error:
            too_much = error
        except Refused:
            continue
    if too_much is not None:
        raise too_much
    numbers = any(choice.get("type") in {"integer", "number"} for choice in schema["anyOf"])
    number = numbers and isinstance(value, int | float) and not isinstance(value, bool)
    raise _misfit(value, schema, name, str(value)[:40] if number else None)


def _check_flag(value: Any, schema: Schema, name: str) -> bool:
    if not isinstance(value, bool) or value not in schema.get("enum", (value,)):
        raise _misfit(value, schema, name, str(value).lower() if isinstance(value, bool) else None)
    return value


def _check_null(value: Any, schema: Schema, name: str) -> None:
    if value is not None:
        raise _misfit(value, schema, name)


def check_length(value: list[Any] | tuple[Any, ...], schema: Schema, name: str) -> None:
    """Make sure that a list has as many entries as its schema says.

    Raises:
        Refused: It has fewer or more.
    """
    if len(value) < schema.get("minItems", 0):
        raise _misfit(value, schema, name)
    if "maxItems" in schema:
        at_most(len(value), schema["maxItems"], name, "entries")


def _check_list(value: Any, schema: Schema, name: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _misfit(value, schema, name)
    check_length(value, schema, name)
    items = schema.get("items", {})
    return [check(entry, items, f"{name}[{index}]") for index, entry in enumerate(value)]


def _check_text(value: Any, schema: Schema, name: str) -> str:
    if "enum" in schema and value not in schema["enum"]:
        raise _misfit(value, schema, name, repr(value)[:40])
    if not isinstance(value, str):
        raise _misfit(value, schema, name)
    if "maxLength" in schema:
        at_most(len(value), schema["maxLength"], name, "characters")
    if not value.isascii():
        try:
            value.encode("utf-8")  # JSON can carry lone surrogates, which tokenizers refuse
        except UnicodeError:
            raise Refused(f"{name} is not valid Unicode (UTF-8)") from None
    if len(value) < schema.get("minLength", 0):
        raise Refused(f"{name} must not be empty")
    return value


def _check_number(value: Any, schema: Schema, name: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(value, schema, name)
    whole = schema["type"] == "integer"
    fits = (
        abs(value) <= (2**63 - 1 if whole else 1e308)  # what torch can hold; NaN is never within it
        and value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", float("-inf"))
        and not (whole and value != int(value))
    )
    if not fits:
        raise _misfit(value, schema, name, str(value)[:40])
    return int(value) if whole else float(value)  # some libraries refuse an integer where they want a float


def _check_object(value: Any, schema: Schema, name: str) -> Fields:
    if not isinstance(value, dict):
        raise _misfit(value, schema, name)
    if "maxProperties" in schema:
        at_most(len(value), schema["maxProperties"], name, "keys")
    properties = schema.get("properties", {})
    missing = [key for key in schema.get("required", ()) if key not in value]
    if missing:
        raise Refused(f"{name} lacks {', '.join(missing)}")
    unknown = sorted(str(key)[:40] for key in value if key not in properties)
    rest = schema.get("additionalProperties", True)
    if unknown and rest is False:
        raise Refused(f"unknown {name}: {', '.join(unknown)}; accepted: {', '.join(properties) or 'none'}")
    rest = rest if isinstance(rest, Mapping) else {}
    return {key: check(entry, properties.get(key, rest), f"{name}.{key}") for key, entry in value.items()}


_CHECKS: dict[str, Callable[[Any, Schema, str], Any]] = {
    "string": _check_text,
    "integer": _check_number,
    "number": _check_number,
    "boolean": _check_flag,
    "null": _check_null,
    "array": _check_list,
    "object": _check_object,
}


# The values of which a schema's type tells all.
_KINDS: dict[type, str] = {str: "string", list: "array", dict: "object"}


# What `check` knows of JSON Schema: the keywords of each type, and those that say nothing of a value.
KEYWORDS = {
    "string": {"enum", "minLength", "maxLength", "contentEncoding"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum", "exclusiveMinimum"},
    "boolean": {"enum"},
    "null": set[str](),
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties", "maxProperties"},
}


def verify_keywords(schema: Schema, name: str) -> None:
    """Make sure that `check` knows all that a schema says.

    Args:
        schema: A JSON Schema; an empty one accepts anything.
        name: What to call it in a message.

    Raises:
        ValueError: It doesn't.
    """
    kind = schema.get("type")
    if schema and "anyOf" not in schema and str(kind) not in KEYWORDS:
        raise ValueError(
            f"the schema of {name} has the type {kind!r}; accepted: {', '.join(KEYWORDS)}, or anyOf; "
            "fix: say one of them"
        )
    known = {"anyOf"} if "anyOf" in schema else {"type"} | KEYWORDS.get(str(kind), set())
    unknown = sorted(set(schema) - known - {"default"})
    if unknown:
        raise ValueError(
            f"the schema of {name} uses {', '.join(unknown)}, which `check` doesn't know here; accepted: "
            f"{', '.join(sorted(known))}; fix: say it with them, or teach `check` in schema.py"
        )
    parts = [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]
    for part in [*parts, *schema.get("properties", {}).values()]:
        if isinstance(part, Mapping):
            verify_keywords(part, name)
