"""What each task tells of itself is OpenAPI 3.1, as servers answer it."""

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.documents import ROOT
from vertex_torchserve.serving.api_description import api_description
from vertex_torchserve.serving.archive.manifest import Manifest
from vertex_torchserve.serving.settings import ServingSettings

pytestmark = pytest.mark.usefixtures("handler_path")

REGISTRY = ast.parse((ROOT / "handlers/hf_handler/registry.py").read_text())
[TASKS] = [
    list(ast.literal_eval(node.value))
    for node in REGISTRY.body
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "TASKS" and node.value is not None
]
# The validator takes half a second for each of these, up to seven for those that write, and 40 for all.
QUICK = {"feature-extraction", "sentence-similarity", "table-question-answering"}


@pytest.mark.parametrize(
    "task", [task if task in QUICK else pytest.param(task, marks=pytest.mark.heavy) for task in TASKS]
)
def test_the_description_of_a_task_is_openapi_and_takes_its_example(task: str, tmp_path: Path) -> None:
    document, _, example = described(task, tmp_path)
    OpenAPIV31SpecValidator(document).validate()
    request = jsonschema.Draft202012Validator(
        {"components": document["components"], "$ref": "#/components/schemas/Request"}
    )
    request.validate({"instances": [example]})
    assert not request.is_valid({"instances": [1.5]})
    assert not request.is_valid({"instances": [example], "parameters": {"no such": 1}})


@pytest.mark.parametrize("task", TASKS)
def test_the_description_is_small_and_says_what_the_task_told(task: str, tmp_path: Path) -> None:
    document, told, _ = described(task, tmp_path)
    assert len(json.dumps(document, separators=(",", ":"))) < 60_000
    components = document["components"]["schemas"]
    for kind in ("instance", "parameters", "prediction"):
        assert written_out(components[kind.capitalize()], components) == told[kind]


def described(task: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """The document of a task, what the task told for it, and its example."""
    from hf_handler.published_schemas import tell_schemas
    from hf_handler.registry import task_class
    from hf_handler.settings import Settings

    interface = task_class(task).interface.bounded(Settings())
    tell_schemas(interface, folder / "schemas.json")
    told = json.loads((folder / "schemas.json").read_text())
    manifest = Manifest("model", "1.0", "huggingface_handler.py")
    document = api_description(ServingSettings.from_environment({}), manifest, "instances", told)
    return document, told, interface.example


def written_out(schema: Any, components: dict[str, Any]) -> Any:
    """A schema with what it refers to in the place of references."""
    if isinstance(schema, list):
        return [written_out(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if set(schema) == {"$ref"}:
        return written_out(components[schema["$ref"].rpartition("/")[2]], components)
    return {key: written_out(value, components) for key, value in schema.items()}
