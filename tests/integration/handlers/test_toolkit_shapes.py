"""`handler.response: huggingface`: answers in the form of huggingface-inference-toolkit."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples


def prediction_of(folder: Path, name: str, instance: Any, response: str, **parameters: Any) -> Any:
    from hf_handler.published_schemas import schemas
    from hf_handler.settings import Settings

    task = CATALOGUE[name].task
    write_manifest(folder, config=json.dumps({"handler": {"task": task, "response": response}}))
    sent = load(folder, envelope=None)({"instances": [instance], "parameters": parameters})
    assert sent.statuses == [200], sent.answers
    (prediction,) = sent.answers[0]["predictions"]
    Draft202012Validator(schemas(task, Settings(response=response))["prediction"]).validate(prediction)
    return prediction


@pytest.mark.parametrize(
    ("name", "instance", "parameters", "shape"),
    [
        ("text-classification", "good", {}, lambda own: [own]),
        ("text-classification", "good", {"top_k": 2}, lambda own: own),
        ("text-classification", ["good", "bad"], {}, lambda own: own),
        ("sentence-embeddings", "good", {}, lambda own: {"embeddings": own}),
        ("sentence-embeddings", ["good", "bad"], {}, lambda own: {"embeddings": own}),
        ("text-ranking", ["good", "bad"], {}, lambda own: {"scores": own["scores"][0]}),
        ("text-ranking", [["good", "bad"], ["a", "b"]], {}, lambda own: own),
        ("summarization", "The train.", {"max_new_tokens": 4}, lambda own: own),
        ("summarization", ["The train.", "A king."], {"max_new_tokens": 4}, lambda own: [own[0][0], *own[1]]),
        ("feature-extraction", samples("feature-extraction")[0], {}, lambda own: own),
    ],
)  # fmt: skip
def test_answers_have_the_toolkit_s_form(
    tmp_path: Path, name: str, instance: Any, parameters: dict[str, Any], shape: Any
) -> None:
    folder = make(name, tmp_path)
    own = prediction_of(folder, name, instance, "own", **parameters)
    assert prediction_of(folder, name, instance, "huggingface", **parameters) == shape(own)
