"""Read one request: `{"instances": [...], "parameters": {...}}`, strictly."""

import contextlib
import gc
import json
from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .quick_json import read_json, without_strings

_SHAPE = 'the body must be {"instances": [...], "parameters": {...}}'
_LONGEST_NAME = 80
# 100 bytes for each in a body of 10 MB. More are not refused for their bytes, but cost a handler seconds.
MOST_INSTANCES = 100_000
# In the whole body; Python makes 3 million lists of one in a second, and objects take five times as long.
_MOST_LISTS, _MOST_OBJECTS = 1_000_000, 250_000
_MEDIA = ("image/", "audio/")
_FORM = "application/x-www-form-urlencoded"
_SENT_AS_FORM = (
    f"; the body came as a form, {_FORM}, as `curl -d` sends it without a header: send the header "
    "Content-Type: application/json"
)


class MalformedRequestError(Exception):
    """A request that breaks the contract, answered 400; the message names the field and quotes no value."""


@dataclass(frozen=True)
class Request:
    """What a client asked for.

    Attributes:
        instances: JSON values, with `{"b64": "..."}` (a whole instance, or a field of one) as bytes.
        parameters: A JSON object; empty when the request has none.
        is_body: Whether its one instance is its whole body.
    """

    instances: list[Any]
    parameters: dict[str, Any]
    is_body: bool = False


def read_request(
    row: Mapping[str, Any], headers: Mapping[str, Any], whole_bodies: Collection[str] = ()
) -> Request:
    """Read a request as TorchServe hands it over; reading it again gives new lists of new instances.

    The body is whatever `data` or `body` holds, else the row itself (a form). A picture or a sound is the one
    instance of a request, as bytes. Other bytes are parsed as JSON whatever their content type; other fields
    of the body are ignored, as TorchServe's json envelope does.

    Args:
        row: The body, or the fields of a form, by name.
        headers: Those of the request, and for each name in `row` its own.
        whole_bodies: Fields by which the handler knows a body that is an instance itself, such as `messages`;
            such a body has no `instances`.

    Raises:
        MalformedRequestError: It is no such request.
    """
    name = next((name for name in ("data", "body") if row.get(name)), "")
    body = row[name] if name else row
    if isinstance(body, bytes | bytearray) and _content_type(headers.get(name)).startswith(_MEDIA):
        return Request([bytes(body)], {})
    if isinstance(body, bytes | bytearray | str):
        body = _parse(body, "the body")
    if not isinstance(body, Mapping):
        raise MalformedRequestError(f"{_SHAPE}, got {_kind(body)}")
    if "instances" not in body and body is not row and not body.keys().isdisjoint(whole_bodies):
        return Request([body], {}, is_body=True)
    if "instances" not in body:
        why = _SENT_AS_FORM if body is row and _content_type(headers) == _FORM else ""
        raise MalformedRequestError(f'"instances" is missing; {_SHAPE}{why}')
    instances = _field(body, "instances")
    if not isinstance(instances, list):
        raise MalformedRequestError(f'"instances" must be a list, got {_kind(instances)}')
    if len(instances) > MOST_INSTANCES:
        raise MalformedRequestError(
            f'"instances" has {len(instances)} entries, at most {MOST_INSTANCES} are taken: '
            "send fewer at a time"
        )
    parameters = _field(body, "parameters")
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        raise MalformedRequestError(f'"parameters" must be an object, got {_kind(parameters)}')
    decoded = [_decode_instance(instance, f"instances[{index}]") for index, instance in enumerate(instances)]
    return Request(decoded, parameters)


def _content_type(headers: Any) -> str:
    """The type without its parameters, in lower case; empty where there is none."""
    if not isinstance(headers, Mapping):
        return ""
    values = [value for name, value in headers.items() if name.lower() == "content-type"]
    return str(values[0]).partition(";")[0].strip().lower() if values else ""


def _field(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    return _parse(value, f'"{name}"') if isinstance(value, bytes | bytearray) else value


def _parse(text: bytes | bytearray | str, what: str) -> Any:
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        _require_few_values(decoded, what)
        with _no_garbage_collection():
            return read_json(decoded, _object_of)
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"{what} is not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedRequestError(
            f"{what} is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except ValueError:  # Python's limit for whole numbers, 4300 digits
        raise MalformedRequestError(f"{what} holds a number with too many digits") from None
    except RecursionError:
        raise MalformedRequestError(f"{what} is nested too deeply") from None


def _require_few_values(text: str, what: str) -> None:
    if text.count("[") > _MOST_LISTS or text.count("{") > _MOST_OBJECTS:
        structure = without_strings(text)
        if structure.count("[") > _MOST_LISTS or structure.count("{") > _MOST_OBJECTS:
            raise MalformedRequestError(
                f"{what} holds more than {_MOST_LISTS} lists or {_MOST_OBJECTS} objects: "
                "send fewer instances at a time"
            )


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Collecting looks through all new lists again and again: two thirds of the time of a large body."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise MalformedRequestError(f"an object has the field {name[:_LONGEST_NAME]!r} twice")
        fields[name] = value
    return fields


def _decode_instance(instance: Any, path: str) -> Any:
    if not isinstance(instance, dict):
        return instance
    if _is_base64(instance):
        return _bytes_of(instance, path)
    return {
        name: _bytes_of(value, f"{path}.{name[:_LONGEST_NAME]}") if _is_base64(value) else value
        for name, value in instance.items()
    }


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"}


def _bytes_of(value: dict[str, Any], path: str) -> bytes:
    text = value["b64"]
    if not isinstance(text, str):
        raise MalformedRequestError(f"{path}.b64 must be a string, got {_kind(text)}")
    try:
        # Lines, as MIME and the command `base64` break them, are fine; b64decode would drop anything.
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise MalformedRequestError(f"{path}.b64 is not valid base64") from None


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "bytes")
