"""The body of every method, checked against the API's own message types.

They come with google-cloud-aiplatform. Its import takes seconds, so the first request that has a body waits
for it. What is accepted is protobuf's JSON mapping: field names in camelCase or snake_case, 64-bit numbers as
text or number, enums by name or number, null for a field that isn't given.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import invalid

# (HTTP method, path) as in the tables of routes -> name of the message in google.cloud.aiplatform_v1.
_MESSAGES = {
    ("POST", "models:upload"): "UploadModelRequest",
    ("PATCH", "models/*"): "Model",
    ("POST", "models/*:mergeVersionAliases"): "MergeVersionAliasesRequest",
    ("POST", "endpoints"): "Endpoint",
    ("PATCH", "endpoints/*"): "Endpoint",
    ("POST", "endpoints/*:deployModel"): "DeployModelRequest",
    ("POST", "endpoints/*:undeployModel"): "UndeployModelRequest",
    ("POST", "endpoints/*:predict"): "PredictRequest",
    ("POST", "batchPredictionJobs"): "BatchPredictionJob",
    ("POST", "batchPredictionJobs/*:cancel"): "CancelBatchPredictionJobRequest",
}
_SHOWN_CHARACTERS = 60
# google.protobuf's types whose JSON is not an object of their fields.
_WELL_KNOWN: dict[str, tuple[type[Any], str]] = {
    "google.protobuf.Value": (object, "a value"),
    "google.protobuf.Struct": (dict, "an object"),
    "google.protobuf.ListValue": (list, "a list"),
    "google.protobuf.Any": (dict, "an object"),
    "google.protobuf.Timestamp": (str, "a text"),
    "google.protobuf.Duration": (str, "a text"),
    "google.protobuf.FieldMask": (str, "a text"),
}


def checked(body: Json, method: tuple[str, str]) -> Json:
    """The body with its field names in camelCase.

    Args:
        body: The JSON object that was sent.
        method: HTTP method and path, as in a table of routes.

    Raises:
        RpcError: INVALID_ARGUMENT that names every field whose value is not of its type, or that isn't there.
    """
    message = _MESSAGES.get(method)
    if message is None or not body:
        return body
    problems: list[str] = []
    found: Json = _message(body, _descriptor(message), "", problems)
    if problems:
        raise invalid(" ".join(problems))
    return found


@cache
def _descriptor(name: str) -> Any:
    from google.cloud.aiplatform_v1 import types

    message = getattr(types, name)
    return message.pb(message()).DESCRIPTOR


def _message(value: Any, descriptor: Any, path: str, problems: list[str]) -> Any:
    kind, in_words = _WELL_KNOWN.get(descriptor.full_name, (dict, "an object"))
    if not isinstance(value, kind):
        problems.append(f"{path}: {_shown(value)} is not {in_words}.")
        return value
    if descriptor.full_name in _WELL_KNOWN:
        return value
    fields = {name: field for field in descriptor.fields for name in (field.name, field.json_name)}
    found: Json = {}
    for key, item in value.items():
        field = fields.get(key)
        where = f"{path}.{key}" if path else key
        if field is None:
            problems.append(f"{where}: there is no such field.")
        elif field.json_name in found:
            problems.append(f"{where} is given under two names.")
        elif item is not None or _takes_null(field):
            found[field.json_name] = _field(item, field, where, problems)
    return found


def _takes_null(field: Any) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Value"


def _field(value: Any, field: Any, path: str, problems: list[str]) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        if isinstance(value, dict):
            entry = field.message_type.fields_by_name["value"]
            return {key: _single(item, entry, f"{path}.{key}", problems) for key, item in value.items()}
        problems.append(f"{path}: {_shown(value)} is not an object.")
    elif field.is_repeated:
        if isinstance(value, list):
            return [_single(item, field, f"{path}[{number}]", problems) for number, item in enumerate(value)]
        problems.append(f"{path}: {_shown(value)} is not a list.")
    else:
        return _single(value, field, path, problems)
    return value


def _single(value: Any, field: Any, path: str, problems: list[str]) -> Any:
    if field.message_type is not None:
        return _message(value, field.message_type, path, problems)
    read, kind = _SCALARS[field.cpp_type]
    try:
        return read(value, field)
    except (ValueError, OverflowError):
        problems.append(f"{path}: {_shown(value)} is not {kind}.")
        return value


def _text(value: Any, _field: Any) -> str:
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError is a ValueError
        return value
    raise ValueError


def _truth(value: Any, _field: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _number(value: Any, _field: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    return float(value) if isinstance(value, str) else value


def _whole(least: int, most: int) -> Callable[[Any, Any], int]:
    def read(value: Any, _field: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        number = int(value)
        if number != (value if not isinstance(value, str) else number) or not least <= number <= most:
            raise ValueError
        return number

    return read


def _long(least: int, most: int) -> Callable[[Any, Any], str]:
    """As a text: JSON's numbers have fewer digits."""
    read = _whole(least, most)
    return lambda value, field: str(read(value, field))


def _choice(value: Any, field: Any) -> Any:
    if isinstance(value, str) and value in field.enum_type.values_by_name:
        return value
    return _whole(-(2**31), 2**31 - 1)(value, field)


# FieldDescriptor.CPPTYPE_*: how a value is read, and what it has to be.
_SCALARS: dict[int, tuple[Callable[[Any, Any], Any], str]] = {
    1: (_whole(-(2**31), 2**31 - 1), "a whole number of 32 bits"),
    2: (_long(-(2**63), 2**63 - 1), "a whole number of 64 bits"),
    3: (_whole(0, 2**32 - 1), "a whole number of 32 bits, at least 0"),
    4: (_long(0, 2**64 - 1), "a whole number of 64 bits, at least 0"),
    5: (_number, "a number"),
    6: (_number, "a number"),
    7: (_truth, "true or false"),
    8: (_choice, "a value of this enum"),
    9: (_text, "a text"),
}


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
