"""Any folder that `save_pretrained` wrote is served by what `package --handler huggingface` makes of it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scripts import handler_examples
from testbed.packaged_models import parameters, request, served
from testbed.tiny_models import CATALOGUE, samples
from tests.integration.handlers.handler_models import assert_same

# It takes pandas, which is installed here.
NOT_IN_THE_IMAGE = ("table-question-answering",)


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
def test_every_model_of_the_catalogue(name: str) -> None:
    from hf_handler.published_schemas import schemas as published

    model = served(name)
    assert model.task == CATALOGUE[name].task.split("_")[0]
    assert model.findings == (("model-libraries",) if name in NOT_IN_THE_IMAGE else ())
    status, answer = model.answer(request(name))
    assert status == 200, answer
    assert len(answer["predictions"]) == len(samples(name)) > 0
    schemas = {kind: Draft202012Validator(schema) for kind, schema in published(model.task).items()}
    assert_fit(schemas["instance"], samples(name))
    assert_fit(schemas["parameters"], [parameters(name)])
    assert_fit(schemas["prediction"], answer["predictions"])
    assert not schemas["prediction"].is_valid({"no_such_answer": 1})


def assert_fit(schema: Draft202012Validator, values: list[Any]) -> None:
    for value in values:
        schema.validate(value)


def test_every_task_is_in_the_catalogue() -> None:
    from hf_handler.registry import TASKS, task_class

    tasks = {CATALOGUE[name].task.split("_")[0] for name in CATALOGUE}
    assert set(TASKS) == tasks
    assert {task_class(name).name for name in TASKS} == tasks


def test_the_examples_show_what_is_answered() -> None:
    """When it doesn't any more: PYTHONPATH=handlers python -m scripts.handler_examples."""
    fresh = handler_examples.examples(lambda name, body: served(name).answer(body)[1])
    shown = handler_examples.read_block(handler_examples.DOCUMENT.read_text(encoding="utf-8"))
    assert set(shown) == set(fresh)
    for name, (asked, answered) in fresh.items():
        assert asked == shown[name][0], name
        assert_same(answered, shown[name][1], name)
