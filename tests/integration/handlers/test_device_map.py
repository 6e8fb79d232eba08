"""Where `handler.device_map` puts a model, its inputs go."""

from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, FIRST_OF_TASKS, make, samples
from tests.integration.handlers.handler_models import (
    TEXTS,
    assert_same_labels,
    classify,
    predict,
    save_bert,
)


@pytest.mark.parametrize("device_map", ["cpu", "{'': cpu}"])
def test_a_device_map_on_the_cpu(tmp_path: Path, transformers: Any, device_map: str) -> None:
    save_bert(transformers, tmp_path)
    write_manifest(tmp_path, config=f"handler: {{device_map: {device_map}}}")
    for answer, other in zip(
        predict(load(tmp_path), *TEXTS), classify(transformers, tmp_path, TEXTS), strict=True
    ):
        assert_same_labels(answer, other)


@pytest.mark.parametrize("name", FIRST_OF_TASKS)
@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
def test_inputs_go_where_the_model_is(tmp_path: Path, name: str) -> None:
    """The worker's own device is torch's `meta`, which holds no numbers: a model couldn't answer from it."""
    import torch

    from hf_handler.archive import Archive
    from hf_handler.registry import task_class
    from hf_handler.settings import read_settings
    from hf_handler.threads import ThreadShare

    model = CATALOGUE[name]
    settings = read_settings({"device_map": "cpu", "dtype": "float32", "max_batch_tokens": 512})
    archive = Archive(make(name, tmp_path / "model"), None, settings, torch.device("meta"))
    task = task_class(model.task).class_for(archive)(archive, model.task, ThreadShare(None))
    task.warm_up()
    query = task.read(samples(name)[0], model.parameters)
    task.answer([query])
    assert query.failure is None
    assert query.prediction is not None
    assert task.device == torch.device("cpu")
