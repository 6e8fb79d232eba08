"""What is served, as OpenAPI 3.1 has it: the routes, and the schemas of what the model takes and answers.

`OPTIONS /predictions/<model>` gives it (ApiDescription.java). OpenAPI 3.1 holds JSON Schemas as they are
(https://spec.openapis.org/oas/v3.1.0#schema-object).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve.serving.archive.manifest import Manifest
from vertex_torchserve.serving.settings import HEALTH_PATH, PREDICT_PATH, ServingSettings
from vertex_torchserve.serving.shared_schemas import reference, with_shared_parts

# What the handlers of this project, and others, tell of themselves; each kind may be missing.
_KINDS = ("instance", "parameters", "prediction")
# Fields of a body that is an instance itself, without `instances`.
_BODIES = "bodies"
_JSON = "application/json"
_ERRORS = {
    "400": "The body is not what the model takes; the message names the field.",
    "413": "The body is too large.",
    "500": "The model failed.",
    "503": "The model is not ready, or too many requests wait; Retry-After says when to send it again.",
    "504": "No answer within the time limit.",
}


def api_file(work: Path) -> Path:
    """Where the JVM reads the description."""
    return work / "api.json"


def schemas_file(work: Path) -> Path:
    """Where a handler may write what it takes and answers: an object of JSON Schemas, by `_KINDS`."""
    return work / "schemas.json"


def write_api_description(work: Path, settings: ServingSettings, manifest: Manifest, envelope: str) -> None:
    """Describe what is served, once the model has been loaded.

    Args:
        work: The server's private folder.
        settings: The platform's routes.
        manifest: The model's name and version.
        envelope: One of `settings.ENVELOPES`.
    """
    told = json.loads(schemas_file(work).read_text()) if schemas_file(work).exists() else {}
    unfinished = api_file(work).with_suffix(".unfinished")
    description = api_description(settings, manifest, envelope, told)
    unfinished.write_text(json.dumps(description, separators=(",", ":")))
    unfinished.replace(api_file(work))


def api_description(
    settings: ServingSettings, manifest: Manifest, envelope: str, told: Mapping[str, Any]
) -> dict[str, Any]:
    """The document.

    Args:
        settings: The platform's routes.
        manifest: The model's name and version.
        envelope: With `none`, bodies are the handler's own and nothing is known of them.
        told: The handler's schemas, by `_KINDS`, and the fields of `_BODIES`; empty when it tells none.
    """
    model = manifest.model_name
    predict = {"/v1/models/" + model + ":predict": "predictByKServe", PREDICT_PATH + model: "predict"}
    if settings.predict_route:
        predict.setdefault(settings.predict_route, "predictByPlatform")
    health = {HEALTH_PATH: "ping"}
    if settings.health_route:
        health.setdefault(settings.health_route, "pingByPlatform")
    return {
        "openapi": "3.1.0",
        "info": {"title": model, "version": manifest.model_version},
        "paths": {
            **{path: {"post": _prediction(name)} for path, name in sorted(predict.items())},
            **{path: {"get": _health(name)} for path, name in sorted(health.items())},
        },
        "components": {
            "schemas": with_shared_parts(_schemas(envelope, told)),
            "responses": {
                _named(status): _answer(description, "Error") for status, description in _ERRORS.items()
            },
        },
    }


def _prediction(name: str) -> dict[str, Any]:
    errors = {status: {"$ref": f"#/components/responses/{_named(status)}"} for status in _ERRORS}
    return {
        "operationId": name,
        "requestBody": {"required": True, "content": _content("Request")},
        "responses": {"200": _answer("A prediction for each instance.", "Response"), **errors},
    }


def _health(name: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "responses": {
            "200": _answer("A request would be answered.", "Health"),
            "503": _answer("It would not; the reason is told.", "Health"),
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": _content(schema)}


def _content(schema: str) -> dict[str, Any]:
    return {_JSON: {"schema": reference(schema)}}


def _named(status: str) -> str:
    return f"Status{status}"


def _schemas(envelope: str, told: Mapping[str, Any]) -> dict[str, Any]:
    bodies = [{"type": "object", "required": [field]} for field in told.get(_BODIES, ())]
    request: dict[str, Any] = {
        "type": "object",
        "required": ["instances"],
        "properties": {
            "instances": {"type": "array", "items": reference("Instance")},
            "parameters": reference("Parameters"),
        },
    }
    response: dict[str, Any] = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": reference("Prediction")}},
    }
    if bodies:
        request = {"anyOf": [request, {"allOf": [{"anyOf": bodies}, reference("Instance")]}]}
        response = {"anyOf": [response, {"type": "object"}]}
    if envelope == "none":
        request = response = {}
    return {
        "Request": request,
        "Response": response,
        **{kind.capitalize(): told.get(kind, {}) for kind in _KINDS},
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {"type": "string"}},
        },
        "Health": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"enum": ["Healthy", "Unhealthy"]}, "reason": {"type": "string"}},
        },
    }
