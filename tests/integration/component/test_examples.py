"""The pipelines of examples/pipelines: each compiles, and the longest runs on this machine."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler

from tests.documents import ROOT
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud, run_pipeline

EXAMPLES = ROOT / "examples" / "pipelines"
PIPELINES = {
    ("train_and_deploy", "custom_container"): {
        "train",
        "upload-pytorch-model",
        "batch-predict",
        "deploy-pytorch-model",
    },
    ("train_and_deploy", "prebuilt_container"): {"train", "upload-pytorch-model"},
    ("nightly_retrain", "nightly_retrain"): {"train", "upload-pytorch-model", "promote"},
}


@pytest.fixture(autouse=True)
def examples_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


def example(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), PIPELINES)
def test_each_compiles(module: str, name: str, tmp_path: Path) -> None:
    compiler.Compiler().compile(example(module, name), str(tmp_path / "pipeline.yaml"))
    (spec, *_) = yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text())
    assert set(spec["root"]["dag"]["tasks"]) == PIPELINES[module, name]


def test_the_whole_way_on_this_machine(cloud: Cloud, tmp_path: Path) -> None:
    for file in (EXAMPLES / "staging").iterdir():
        cloud.storage.put(f"line/staging/{file.name}", file.read_text())
    cloud.storage.put("line/batch/instances.jsonl", "0\n1\n")
    _, log = run_pipeline(
        lambda: example("train_and_deploy", "custom_container")(
            project_id=PROJECT,
            location=LOCATION,
            bucket="gs://bucket/line",
            model_folder="gs://bucket/line/runs/1",
            serving_image=f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1",
        ),
        tmp_path,
    )
    (version,) = cloud.versions("line")
    assert version.container_spec.deployment_timeout.total_seconds() == 1800, log
    (results,) = [key for key in cloud.keys_beneath("line/batch/results") if "prediction.results" in key]
    predictions = [json.loads(line)["prediction"] for line in cloud.storage.get(results).splitlines()]
    assert predictions == [pytest.approx(1, abs=0.1), pytest.approx(3, abs=0.1)]
    (deployed,) = cloud.deployed("line")
    assert f"{deployed.model}@{deployed.model_version_id}" == version.name
    assert "golden requests through the endpoint: 1" in log
