"""A whole request, where no service envelope took it apart."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hf_handler.schema import Parameters, Refused
from hf_handler.wording import kind_of


@dataclass
class Request:
    """One request, when no envelope took it apart.

    Attributes:
        instances: As sent.
        parameters: Of the call.
        close: Makes the response of the predictions.
        is_instance: Whether the body itself is the one instance.
    """

    instances: list[Any]
    parameters: Parameters
    close: Callable[[list[Any]], Any]
    is_instance: bool = False


def open_request(
    body: Any, content_type: str, is_one: Callable[[list[Any]], bool], takes_file: bool
) -> Request:
    """Take one request apart, as TorchServe hands it over when no service envelope is set.

    Args:
        body: JSON that TorchServe parsed, or bytes.
        content_type: Of the body.
        is_one: Whether a list sent as `inputs` is one instance.
        takes_file: Whether a body that is no JSON is a file, not a text.

    Raises:
        Refused: It is no request we know, or JSON that can't be parsed.
    """
    if isinstance(body, bytes | bytearray) and content_type.lower().startswith("application/json"):
        try:  # TorchServe hands over the bytes of JSON that it could not parse
            body = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused("the body is not valid JSON") from None
    if isinstance(body, bytes | bytearray) and not takes_file:
        try:
            body = body.decode("utf-8")
        except UnicodeError:
            raise Refused("the body is not valid Unicode (UTF-8)") from None
    if not isinstance(body, dict) or not {"instances", "inputs"} & set(body):
        return Request([body], {}, lambda predictions: predictions[0], is_instance=True)
    key = "instances" if "instances" in body else "inputs"
    parameters = body.get("parameters", {})
    if not isinstance(parameters, dict) or not set(body) <= {key, "parameters"}:
        raise Refused(f"beside {key} only parameters, an object, is accepted")
    if key == "inputs" and (not isinstance(body[key], list) or is_one(body[key])):
        return Request([body], {}, lambda predictions: predictions[0])
    if not isinstance(body[key], list) or not body[key]:
        raise Refused(f"{key} must be a list that is not empty, got {kind_of(body[key])}")
    if key == "inputs":
        return Request([{"inputs": value} for value in body[key]], parameters, list)
    return Request(body[key], parameters, lambda predictions: {"predictions": predictions})
