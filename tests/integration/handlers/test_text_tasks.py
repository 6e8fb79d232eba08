"""Text tasks against transformers' own pipelines, on tiny seeded models."""

import copy
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import ask_golden, assert_same

pytestmark = pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")

PIPELINE_TASKS = (
    "text-classification",
    "text-classification-multi-label",
    "text-classification-regression",
    "text-classification-pair",
    "token-classification",
    "token-classification-roberta",
    "zero-shot-classification",
    "zero-shot-classification-bert",
    "fill-mask",
    "fill-mask-roberta",
    "feature-extraction",
)
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "text-classification": [{"top_k": 2}, {"top_k": None, "function_to_apply": "sigmoid"}],
    "token-classification": [
        {"aggregation_strategy": name} for name in ("simple", "first", "average", "max")
    ] + [{"ignore_labels": []}, {"aggregation_strategy": "average", "ignore_labels": ["O", "PER"]}],
    "zero-shot-classification": [
        {"multi_label": True},
        {"candidate_labels": "one, two", "hypothesis_template": "About {}!"},
        {"candidate_labels": ["only"]},
    ],
    "fill-mask": [{"top_k": 2}, {"targets": ["city", "house", "notinvocab"]}, {"targets": "river"}],
}  # fmt: skip


@pytest.fixture(scope="module", params=PIPELINE_TASKS)
def case(request: Any, tmp_path_factory: pytest.TempPathFactory, transformers: Any) -> Any:
    """The handler and transformers' pipeline on one folder."""
    name = request.param
    folder = make(name, tmp_path_factory.mktemp(name))
    task = CATALOGUE[name].task
    pipeline = transformers.pipeline(task, model=str(folder), device="cpu")
    write_manifest(folder, config=f"handler: {{task: {task}}}")
    cut = {"truncation": True} if task in {"text-classification", "feature-extraction"} else {}
    return (
        name,
        load(folder, envelope=None),
        lambda instance, **options: pipeline([instance], **cut, **options),
    )


def options_of(name: str) -> list[dict[str, Any]]:
    task = CATALOGUE[name].task
    base = dict(CATALOGUE[name].parameters)
    return [base, *({**base, **more} for more in OPTIONS.get(task, []))]


def test_predictions_are_the_pipelines(case: Any) -> None:
    name, send, pipeline = case
    for options in options_of(name):
        instances = [{"inputs": instance, "parameters": options} for instance in samples(name)]
        sent = send({"instances": instances})
        assert sent.statuses == [200], sent.answers
        for instance, prediction in zip(samples(name), sent.answers[0]["predictions"], strict=True):
            expected = pipeline(copy.deepcopy(instance), **options)
            # For one text, fill-mask takes off the list around the answers.
            expected = expected if CATALOGUE[name].task == "fill-mask" else expected[0]
            assert_same(prediction, expected)


@pytest.mark.parametrize("name", ["question-answering", "question-answering-roberta"])
def test_answers_are_those_of_transformers_4(tmp_path: Path, name: str) -> None:
    """The files were written by the pipeline of transformers 4.57; transformers 5 has none."""
    for case, prediction in zip(*ask_golden(name, "question-answering", tmp_path), strict=True):
        assert_same(prediction, case["prediction"], str(case["parameters"]))


@pytest.mark.parametrize("strategy", ["simple", "first"])
def test_windows_over_a_long_text(tmp_path: Path, transformers: Any, strategy: str) -> None:
    folder = make("token-classification", tmp_path)
    text = " ".join(samples("token-classification") * 8)
    pipeline = transformers.pipeline("token-classification", model=str(folder), device="cpu")
    send = load(folder, envelope=None)
    for stride in (0, 10, 60):
        options = {"aggregation_strategy": strategy, "stride": stride}
        result = send({"inputs": text, "parameters": options})
        assert_same(result.answers[0], pipeline(text, **options))
        assert result.headers("x-truncated") == [None], "nothing is left out"
    assert send(text).headers("x-truncated") == ["0"]
