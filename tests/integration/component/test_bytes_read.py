"""How often the bytes of a model are read on their way, counted: no step reads them once more than it must.

Programs and libraries that are read, too, are less than the model: the whole part of the quotient is what
counts.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import write_archive
from testbed.bytes_read import bytes_read_by
from testbed.killed_component import run_component
from tests.integration.component.component_runs import Cloud
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.smoke_test.run import run_smoke_test
from vertex_torchserve.vertex_ai import ModelUpload, register_archive

MODEL_BYTES = 96 << 20
IMAGE = "us-central1-docker.pkg.dev/p/r/torchserve-cpu:1"


def times_read(call: Any, *arguments: Any) -> int:
    return bytes_read_by(call, *arguments) // MODEL_BYTES


@pytest.fixture(scope="module")
def mar_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"), files={"ckpt.pt": bytes(MODEL_BYTES)})


def smoke_test(mar_path: str) -> None:
    assert run_smoke_test(ServingPlan.of(Path(mar_path)), [PredictionRequest(["a"])]).ok


def upload(mar_path: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    plan = ServingPlan.of(Path(mar_path), ContainerSpec(IMAGE))
    names = ModelUpload(project="my-project", location="us-central1", display_name="read")
    register_archive(plan, GcsPath.parse("gs://bucket/read"), names)


def test_a_smoke_test_sums_the_archive_and_unpacks_it(mar_path: Path) -> None:
    assert times_read(smoke_test, str(mar_path)) == 2


def test_an_upload_sums_the_archive_and_sends_it(cloud: Cloud, mar_path: Path) -> None:
    assert times_read(upload, str(mar_path), cloud.emulator.environment()) == 2


def test_the_component_reads_its_model_four_times(cloud: Cloud) -> None:
    """Twice when it is packaged, for a member's CRC-32 stands before it; to unpack it and to send it."""
    inputs = cloud.put_model("read-often")
    cloud.storage.put("read-often/ckpt.pt", bytes(MODEL_BYTES))
    cloud.storage.put("read-often-extra/instances.json", "[1]")
    inputs["smoke_test_instances"] = "instances.json"
    assert times_read(run_component, inputs, cloud.emulator.environment()) == 4
