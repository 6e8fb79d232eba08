"""Every request as the API's own message: body and query parameters, parsed by protobuf's JSON mapping.

The messages come with google-cloud-aiplatform, whose import takes seconds: the first request waits for it.
What is accepted is what protobuf accepts: field names in camelCase or snake_case, 64-bit numbers as text or
number, enums by name or number, null for a field that isn't given. What a method gets is protobuf's own JSON
of the message: names in camelCase, enums by name, 64-bit numbers as text, fields that have their default left
out, numbers in instances as doubles.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vertex_torchserve.emulator.rest.names import camel_case
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import invalid

_WHOLE = "*"


class Binding(NamedTuple):
    """How an HTTP request becomes a message.

    Attributes:
        message: The name of the request's message in google.cloud.aiplatform_v1, or in google.longrunning.
        body: The field that the HTTP body is: `*` is the message as a whole, empty means no body.
    """

    message: str
    body: str = ""


# (HTTP method, path) as in the tables of routes. Messages and fields: the google.api.http annotations of the
# API's services (ModelService, EndpointService, JobService, PredictionService).
_BINDINGS = {
    ("POST", "models:upload"): Binding("UploadModelRequest", _WHOLE),
    ("GET", "models"): Binding("ListModelsRequest"),
    ("GET", "models/*"): Binding("GetModelRequest"),
    ("PATCH", "models/*"): Binding("UpdateModelRequest", "model"),
    ("DELETE", "models/*"): Binding("DeleteModelRequest"),
    ("GET", "models/*:listVersions"): Binding("ListModelVersionsRequest"),
    ("POST", "models/*:mergeVersionAliases"): Binding("MergeVersionAliasesRequest", _WHOLE),
    ("DELETE", "models/*:deleteVersion"): Binding("DeleteModelVersionRequest"),
    ("POST", "endpoints"): Binding("CreateEndpointRequest", "endpoint"),
    ("GET", "endpoints"): Binding("ListEndpointsRequest"),
    ("GET", "endpoints/*"): Binding("GetEndpointRequest"),
    ("PATCH", "endpoints/*"): Binding("UpdateEndpointRequest", "endpoint"),
    ("DELETE", "endpoints/*"): Binding("DeleteEndpointRequest"),
    ("POST", "endpoints/*:deployModel"): Binding("DeployModelRequest", _WHOLE),
    ("POST", "endpoints/*:undeployModel"): Binding("UndeployModelRequest", _WHOLE),
    ("POST", "endpoints/*:predict"): Binding("PredictRequest", _WHOLE),
    ("POST", "batchPredictionJobs"): Binding("CreateBatchPredictionJobRequest", "batch_prediction_job"),
    ("GET", "batchPredictionJobs"): Binding("ListBatchPredictionJobsRequest"),
    ("GET", "batchPredictionJobs/*"): Binding("GetBatchPredictionJobRequest"),
    ("POST", "batchPredictionJobs/*:cancel"): Binding("CancelBatchPredictionJobRequest", _WHOLE),
    ("DELETE", "batchPredictionJobs/*"): Binding("DeleteBatchPredictionJobRequest"),
    ("GET", "operations"): Binding("ListOperationsRequest"),
}
_SHOWN_CHARACTERS = 60
# FieldDescriptor.CPPTYPE_*: what a value has to be.
_KINDS = {
    1: "a whole number of 32 bits",
    2: "a whole number of 64 bits",
    3: "a whole number of 32 bits, at least 0",
    4: "a whole number of 64 bits, at least 0",
    5: "a number",
    6: "a number",
    7: "true or false",
    8: "a value of this enum",
    9: "a text",
}


class Parsed(NamedTuple):
    """A request's message as protobuf writes it in JSON.

    Attributes:
        body: The part that came in the HTTP body.
        query: The message as a whole, with what came in the query.
    """

    body: Json
    query: Json


def parsed(body: Json, query: Mapping[str, str], method: tuple[str, str]) -> Parsed:
    """Parse a request.

    Args:
        body: The JSON object that was sent.
        query: The query parameters, without those that every Google API has.
        method: HTTP method and path, as in a table of routes; one without a message gets an empty one.

    Raises:
        RpcError: INVALID_ARGUMENT that names every field whose value is not of its type, or that isn't there.
    """
    binding = _BINDINGS.get(method)
    if binding is None:
        return Parsed({}, {})
    parameters = {name: _mask(value) if _is_mask(name) else value for name, value in query.items()}
    if binding.body in {"", _WHOLE}:
        found = _canonical({**parameters, **body}, _empty(binding.message))
        return Parsed(found, found)
    empty = _empty(binding.message)
    own = _canonical(body, getattr(empty, binding.body))
    return Parsed(own, {**_canonical(parameters, empty), camel_case(binding.body): own})


def _empty(message: str) -> Any:
    from google.cloud.aiplatform_v1 import types
    from google.longrunning import operations_pb2  # type: ignore[import-untyped]

    found = getattr(types, message, None)
    return found.pb()() if found else getattr(operations_pb2, message)()


def _canonical(sent: Json, message: Any) -> Json:
    from google.protobuf import json_format

    try:
        json_format.ParseDict(sent, message)
        found: Json = json_format.MessageToDict(message)
    except (json_format.Error, ValueError, RecursionError) as error:
        # protobuf stops at the first fault and names Python's types.
        raise invalid(" ".join(_problems(sent, type(message)(), "")) or str(error)) from None
    return found


def _problems(sent: Json, message: Any, path: str) -> Iterator[str]:
    """What of a JSON object its message doesn't take, each part by its path."""
    fields = {name: field for field in message.DESCRIPTOR.fields for name in (field.name, field.json_name)}
    for key, value in sent.items():
        where, field = f"{path}.{key}" if path else key, fields.get(key)
        if field is None:
            yield f"{where}: there is no such field."
        elif value is not None:
            yield from _field_problems(value, message, field, where)


def _field_problems(value: Any, message: Any, field: Any, where: str) -> Iterator[str]:
    of_entry = field.message_type is not None and field.message_type.GetOptions().map_entry
    parts: list[tuple[str, Any, Any]]
    if of_entry and isinstance(value, dict):
        kind = _kind(field.message_type.fields_by_name["value"])
        parts = [(f"{where}.{key}", item, {key: item}) for key, item in value.items()]
    elif of_entry:
        kind, parts = "an object", [(where, value, None)]
    elif field.is_repeated and isinstance(value, list):
        kind = _kind(field)
        parts = [(f"{where}[{number}]", item, [item]) for number, item in enumerate(value)]
    else:
        kind, parts = "a list" if field.is_repeated else _kind(field), [(where, value, value)]
    for place, item, alone in parts:
        if isinstance(item, dict) and _has_fields(field) and not of_entry:
            target = getattr(message, field.name)
            yield from _problems(item, target.add() if field.is_repeated else target, place)
        elif alone is None or not _takes(type(message), {field.name: alone}):
            shown = repr(item)
            if len(shown) > _SHOWN_CHARACTERS:
                shown = f"{shown[:_SHOWN_CHARACTERS]}..."
            yield f"{place}: {shown} is not {kind}."


def _takes(message: type[Any], sent: Json) -> bool:
    from google.protobuf import json_format

    try:
        json_format.MessageToDict(json_format.ParseDict(sent, message()))
    except (json_format.Error, ValueError, RecursionError):
        return False
    return True


def _has_fields(field: Any) -> bool:
    """Whether its JSON is an object of its fields, which that of protobuf's own types is not."""
    return field.message_type is not None and not field.message_type.full_name.startswith("google.protobuf.")


def _kind(field: Any) -> str:
    if field.message_type is None:
        return _KINDS[field.cpp_type]
    return "an object" if _has_fields(field) else f"a {field.message_type.name}"


def _is_mask(parameter: str) -> bool:
    return camel_case(parameter) in {"updateMask", "readMask"}


def _mask(paths: str) -> str:
    """A mask in a query may name fields in snake_case too, which protobuf's own JSON may not."""
    return ",".join(camel_case(path) for path in paths.split(","))
