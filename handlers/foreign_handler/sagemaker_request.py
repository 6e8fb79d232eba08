"""A request as SageMaker's functions get it: a body, its content type, and what the client accepts."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreign_handler.calls import Answer, Call, RefusedError
from foreign_handler.media_types import ANY, BYTES, JSON, UTF8_TYPES, bare, is_text
from foreign_handler.values import as_json, as_json_value, data_of

# SageMaker's own variable (sagemaker_inference/parameters.py).
DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
# Of the parameters of a request these are what SageMaker's clients send as headers.
CONTENT_TYPE, ACCEPT = "content_type", "accept"


@dataclass(frozen=True)
class SageMakerRequest:
    """What the functions get.

    Attributes:
        body: Text for JSON and CSV, bytes for any other type.
        content_type: Of the body.
        accept: The type that the answer is to have.
    """

    body: str | bytes
    content_type: str
    accept: str


def request_of(call: Call) -> SageMakerRequest:
    """The request that an instance stands for, or that a body is.

    Raises:
        RefusedError: Its parameters, or its type and its content, don't fit together.
    """
    parameters = dict(call.parameters)
    named = [_text(parameters, name) for name in (CONTENT_TYPE, ACCEPT)]
    binary = isinstance(call.value, bytes)
    content_type = named[0] or call.content_type or (BYTES if binary else JSON)
    accept = named[1] or ("" if call.accept == ANY else call.accept) or os.environ.get(DEFAULT_ACCEPT) or JSON
    return SageMakerRequest(_body(call, parameters, content_type), content_type, accept)


def prediction_of(answer: Answer) -> Any:
    """The prediction that an answer's body is: JSON as a value, other text as text, the rest as bytes."""
    value = answer.value
    if isinstance(value, bytes | bytearray):
        if not is_text(answer.content_type):
            return bytes(value)
        value = bytes(value).decode()
    if isinstance(value, str) and bare(answer.content_type) == JSON:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return as_json_value(value)


def _text(parameters: dict[str, Any], name: str) -> str:
    """Take a parameter out."""
    value = parameters.pop(name, "")
    if not isinstance(value, str):
        raise RefusedError(f"parameters.{name} must be a string, such as {JSON!r}")
    return value


def _body(call: Call, parameters: Mapping[str, Any], content_type: str) -> str | bytes:
    value = call.value
    as_text = bare(content_type) in UTF8_TYPES
    if bare(content_type) == JSON and not isinstance(value, bytes):
        if parameters:
            value = data_of(value, parameters)
        value = as_json(value)
    elif parameters:
        raise RefusedError(
            f"a body of type {content_type!r} takes no parameters but {CONTENT_TYPE} and {ACCEPT}"
        )
    if isinstance(value, str):
        return value if as_text else value.encode()
    if isinstance(value, bytes):
        return value.decode() if as_text else value
    raise RefusedError(f'an instance of type {content_type!r} must be a text or {{"b64": "..."}}')
