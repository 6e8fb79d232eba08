"""What each task tells of itself is OpenAPI 3.1, as servers answer it."""

import ast
import json
from pathlib import Path

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
    from hf_handler.published_schemas import tell_schemas
    from hf_handler.registry import task_class
    from hf_handler.settings import Settings

    interface = task_class(task).interface.bounded(Settings())
    tell_schemas(interface, tmp_path / "schemas.json")
    document = api_description(
        ServingSettings.from_environment({}),
        Manifest("model", "1.0", "huggingface_handler.py"),
        "instances",
        json.loads((tmp_path / "schemas.json").read_text()),
    )
    OpenAPIV31SpecValidator(document).validate()
    request = jsonschema.Draft202012Validator(
        {"components": document["components"], "$ref": "#/components/schemas/Request"}
    )
    request.validate({"instances": [interface.example]})
    assert not request.is_valid({"instances": [1.5]})
    assert not request.is_valid({"instances": [interface.example], "parameters": {"no such": 1}})
