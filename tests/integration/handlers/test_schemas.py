"""The published JSON Schemas say the truth about what is taken and answered."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import ENCODER_TASKS


@pytest.mark.parametrize("name", ENCODER_TASKS)
def test_samples_and_their_predictions_fit(name: str, tmp_path: Path) -> None:
    from hf_handler.published_schemas import schemas as published

    task = CATALOGUE[name].task
    folder = make(name, tmp_path / "model")
    write_manifest(folder, config=f"handler: {{task: {task}, max_batch_tokens: 512}}")
    schemas = {kind: checked(schema) for kind, schema in published(task).items()}
    parameters = CATALOGUE[name].parameters
    instances: list[Any] = [{"inputs": sample, "parameters": parameters} for sample in samples(name)]
    for instance in [*samples(name), *instances]:
        schemas["instance"].validate(instance)
    schemas["parameters"].validate(parameters)
    sent = load(folder, envelope=None)({"instances": instances})
    for prediction in sent.answers[0]["predictions"]:
        schemas["prediction"].validate(prediction)
    assert not schemas["parameters"].is_valid({"no_such_parameter": 1})
    assert not schemas["instance"].is_valid({"no_such_field": 1})
    assert not schemas["prediction"].is_valid({"no_such_answer": 1})


def checked(schema: Any) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
