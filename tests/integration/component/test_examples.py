"""The pipelines of examples/pipelines: each compiles, and each runs on this machine."""

import importlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import aiplatform
from kfp import compiler

from testbed.deadlines import PROGRAM_SECONDS
from tests.documents import ROOT, blocks
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud, run_here, run_pipeline

EXAMPLES = ROOT / "examples" / "pipelines"
SERVING_IMAGE = f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1"
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


@pytest.fixture
def bucket(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    """A gs:// folder of the test's own with what examples/pipelines/README.md has copied into a bucket."""
    folder = request.node.name
    for file in (EXAMPLES / "staging").iterdir():
        cloud.storage.put(f"{folder}/staging/{file.name}", file.read_text())
    cloud.storage.put(f"{folder}/batch/instances.jsonl", "0\n1\n")
    return f"gs://bucket/{folder}"


@dataclass(frozen=True)
class Nights:
    """A model whose version 1 has the alias `production`, and the pipeline that trains it anew."""

    cloud: Cloud
    bucket: str
    model: str
    root: Path

    def night(self, **inputs: Any) -> str:
        """One run; returns the log of its tasks."""
        _, log = run_pipeline(
            lambda: example("nightly_retrain", "nightly_retrain")(
                parent_model=self.model,
                project_id=PROJECT,
                location=LOCATION,
                bucket=self.bucket,
                serving_image=SERVING_IMAGE,
                **inputs,
            ),
            self.root,
        )
        return log

    def aliases(self) -> dict[str, list[str]]:
        """The aliases of each version."""
        versions = aiplatform.Model(self.model).api_client.list_model_versions(name=self.model)
        return {version.version_id: sorted(version.version_aliases) for version in versions}


@pytest.fixture
def nights(cloud: Cloud, bucket: str, tmp_path: Path) -> Nights:
    folder = bucket.removeprefix("gs://bucket/")
    first = run_here(**cloud.put_model(f"{folder}/first"), version_aliases=["production"])
    nights = Nights(cloud, bucket, first.metadata["VertexModelID"], tmp_path)
    cloud.versions("line")  # points the SDK at the emulator
    assert nights.aliases() == {"1": ["default", "production"]}
    return nights


def test_a_night_with_a_better_model_promotes_it(nights: Nights) -> None:
    log = nights.night()
    assert nights.aliases() == {"1": ["default"], "2": ["candidate", "production"]}, log


@pytest.mark.heavy
def test_a_night_with_a_worse_model_registers_it_and_promotes_nothing(nights: Nights) -> None:
    log = nights.night(noise=1.0)
    assert nights.aliases() == {"1": ["default", "production"], "2": ["candidate"]}, log
    assert "version 2 does not get production" in log
    assert "held-out.json: predictions[1]: expected 0.5, got 0.53" in log


@pytest.mark.heavy
def test_a_night_with_a_model_that_is_wrong_registers_nothing(nights: Nights) -> None:
    log = nights.night(noise=5.0)
    assert nights.aliases() == {"1": ["default", "production"]}, log
    assert "the archive does not serve, so it is not registered" in log
    assert "predictions[0]: expected 1.0, got 1.31" in log


@pytest.mark.heavy
def test_the_whole_way_then_a_canary(cloud: Cloud, bucket: str, tmp_path: Path) -> None:
    def run(number: int, **inputs: Any) -> str:
        _, log = run_pipeline(
            lambda: example("train_and_deploy", "custom_container")(
                project_id=PROJECT,
                location=LOCATION,
                bucket=bucket,
                model_folder=f"{bucket}/runs/{number}",
                serving_image=SERVING_IMAGE,
                **inputs,
            ),
            tmp_path,
        )
        return log

    log = run(1)
    (version,) = [each for each in cloud.versions("line") if each.artifact_uri.startswith(f"{bucket}/")]
    assert version.container_spec.deployment_timeout.total_seconds() == 1800, log
    results = [
        key for key in cloud.keys_beneath(bucket.removeprefix("gs://bucket/")) if "/prediction.results" in key
    ]
    (lines,) = [cloud.storage.get(key).splitlines() for key in results]
    assert [json.loads(line)["prediction"] for line in lines] == [
        pytest.approx(1, abs=0.1),
        pytest.approx(3, abs=0.1),
    ]
    assert "golden requests through the endpoint: 1" in log
    assert traffic(cloud, "line") == {"1": 100}

    log = run(2, parent_model=version.name.partition("@")[0], traffic=10)
    assert "golden requests through the endpoint: 1" in log
    assert traffic(cloud, "line") == {"1": 90, "2": 10}, log
    (endpoint,) = cloud.endpoints("line")
    golden = json.loads((EXAMPLES / "staging" / "golden-request.json").read_text())
    answering: dict[str, list[Any]] = {}
    until = time.monotonic() + PROGRAM_SECONDS
    while len(answering) < 2 and time.monotonic() < until:
        answer = endpoint.predict(golden["instances"])
        answering[answer.model_version_id] = answer.predictions
    expected = pytest.approx(golden["predictions"], abs=golden["tolerance"])
    assert answering == {"1": expected, "2": expected}


@pytest.mark.heavy
def test_the_block_that_runs_them_on_this_machine(tmp_path: Path) -> None:
    [block] = blocks("examples/pipelines/README.md", "bash")
    [shown] = blocks("examples/pipelines/README.md", "")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-euc", block],
        check=False, cwd=EXAMPLES, env=os.environ | {"PATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    last = run.stdout.splitlines()[-3:]
    assert [hundredths(line) for line in last] == [hundredths(line) for line in shown.splitlines()]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_a_prebuilt_container(cloud: Cloud, bucket: str, tmp_path: Path) -> None:
    _, log = run_pipeline(
        lambda: example("train_and_deploy", "prebuilt_container")(
            project_id=PROJECT, location=LOCATION, bucket=bucket, model_folder=f"{bucket}/runs/1"
        ),
        tmp_path,
    )
    (version,) = cloud.versions("line-prebuilt")
    assert (
        version.container_spec.image_uri
        == "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"
    ), log
    assert [
        Path(key).name for key in cloud.keys_beneath(version.artifact_uri.removeprefix("gs://bucket/"))
    ] == ["model.mar"]


def hundredths(line: str) -> str:
    """A line whose numbers are cut after two decimals: the last ones are the CPU's."""
    return re.sub(r"(\.\d\d)\d+", r"\1", line)


def traffic(cloud: Cloud, endpoint_name: str) -> dict[str, int]:
    """The percentage of each version on the one endpoint of that name."""
    (endpoint,) = cloud.endpoints(endpoint_name)
    return {
        model.model_version_id: endpoint.traffic_split[model.id]
        for model in endpoint.gca_resource.deployed_models
    }
