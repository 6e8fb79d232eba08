"""Beside google-cloud-pipeline-components, which need google-cloud-aiplatform 1.x: in their environment."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.deadlines import PROGRAM_SECONDS
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud

BIN = Path(__file__).parents[3] / "build" / "pipeline-components" / "bin"
PIPELINE = """
import sys
from google_cloud_pipeline_components.v1.batch_predict_job import ModelBatchPredictOp
from google_cloud_pipeline_components.v1.endpoint import EndpointCreateOp, ModelDeployOp
from kfp import compiler, dsl
from vertex_torchserve.kfp import upload_pytorch_model

@dsl.pipeline(name="beside-google")
def pipeline(project: str = "my-project"):
    trained = dsl.importer(artifact_uri="gs://bucket/model", artifact_class=dsl.Artifact)
    model = upload_pytorch_model(
        project_id=project, location="us-central1", gcs_model_path=trained.output,
        local_model_file="model.pt", model_display_name="m",
    ).outputs["vertex_model"]
    ModelBatchPredictOp(job_display_name="job", model=model, gcs_source_uris=["gs://bucket/in.jsonl"],
                        gcs_destination_output_uri_prefix="gs://bucket/out", machine_type="n1-standard-4")
    endpoint = EndpointCreateOp(display_name="e").outputs["endpoint"]
    ModelDeployOp(model=model, endpoint=endpoint, dedicated_resources_machine_type="n1-standard-4",
                  dedicated_resources_min_replica_count=1)

compiler.Compiler().compile(pipeline, sys.argv[1])
"""


@pytest.fixture(scope="module")
def commands() -> Path:
    """Their environment; without one the tests are skipped, or fail with REQUIRE_PIPELINE_COMPONENTS=1."""
    if not (BIN / "vertex-torchserve").exists():
        reason = (
            "NO PIPELINE COMPONENTS, google-cloud-aiplatform 1.x IS NOT TESTED (make pipeline-components)"
        )
        if os.environ.get("REQUIRE_PIPELINE_COMPONENTS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return BIN


def run(*command: str | Path) -> str:
    answer = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_the_other_major_version_of_the_sdk_is_there(commands: Path) -> None:
    version = "from google.cloud import aiplatform; print(aiplatform.__version__)"
    assert run(commands / "python", "-c", version).startswith("1.")


def test_one_pipeline_of_both(commands: Path, tmp_path: Path) -> None:
    run(commands / "python", "-c", PIPELINE, tmp_path / "pipeline.yaml")
    compiled = (tmp_path / "pipeline.yaml").read_text()
    for task in ("upload-pytorch-model", "model-batch-predict", "model-deploy"):
        assert f"comp-{task}:" in compiled


def test_an_archive_is_registered_once(commands: Path, cloud: Cloud, tmp_path: Path) -> None:
    arguments: list[str | Path] = [
        "upload", write_archive(tmp_path, modelName="model"), "--bucket", "gs://bucket/older-sdk",
        "--project", PROJECT, "--location", LOCATION,
        "--display-name", "by the older SDK", "--version-alias", "golden",
        "--container-spec", '{"livenessProbe": {"tcpSocket": {}}, "deploymentTimeout": "1800s"}', "--json",
    ]  # fmt: skip
    first, again = (json.loads(run(commands / "vertex-torchserve", *arguments)) for _ in range(2))
    assert (first["already_registered"], again["already_registered"]) == (False, True)
    (version,) = cloud.versions("by the older SDK")
    assert version.name == f"{first['model_resource_name']}@1"
    assert list(version.version_aliases) == ["default", "golden"]
    assert version.container_spec.deployment_timeout.total_seconds() == 1800
