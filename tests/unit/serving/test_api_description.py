"""The description of what is served is OpenAPI, and says no more than is known."""

from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from vertex_torchserve.serving.api_description import api_description
from vertex_torchserve.serving.archive.manifest import Manifest
from vertex_torchserve.serving.settings import ServingSettings

MANIFEST = Manifest("reviews", "1.0", "handler.py")
SETTINGS = ServingSettings.from_environment({})


def test_a_handler_that_tells_nothing_takes_any_instance() -> None:
    document = api_description(SETTINGS, MANIFEST, "instances", {})
    OpenAPIV31SpecValidator(document).validate()
    assert document["info"] == {"title": "reviews", "version": "1.0"}
    assert list(document["paths"]) == ["/predictions/reviews", "/v1/models/reviews:predict", "/ping"]
    request = resolved(document, "Request")
    jsonschema.validate({"instances": ["a", 1]}, request)
    with pytest.raises(jsonschema.ValidationError, match="'instances' is a required property"):
        jsonschema.validate({"inputs": []}, request)


def test_nothing_is_said_of_bodies_without_the_envelope() -> None:
    document = api_description(SETTINGS, MANIFEST, "none", {})
    OpenAPIV31SpecValidator(document).validate()
    assert document["components"]["schemas"]["Request"] == {}


def test_the_platforms_routes_are_described_beside_the_models() -> None:
    routes = {"AIP_PREDICT_ROUTE": "/ask", "AIP_HEALTH_ROUTE": "/health"}
    document = api_description(ServingSettings.from_environment(routes), MANIFEST, "instances", {})
    OpenAPIV31SpecValidator(document).validate()
    assert list(document["paths"]) == [
        "/ask",
        "/predictions/reviews",
        "/v1/models/reviews:predict",
        "/health",
        "/ping",
    ]


def test_a_body_that_is_an_instance_itself_is_taken_where_the_model_takes_it() -> None:
    chat = {"type": "object", "required": ["messages"]}
    told = {"instance": {"anyOf": [{"type": "string"}, chat]}, "bodies": ["messages"]}
    request = resolved(api_description(SETTINGS, MANIFEST, "instances", told), "Request")
    bodies: list[dict[str, Any]] = [{"messages": []}, {"instances": ["a"]}]
    for body in bodies:
        jsonschema.validate(body, request)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"prompt": "a"}, request)


def resolved(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema of the document with what it refers to."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
