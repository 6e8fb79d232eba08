"""The launchers of google-cloud-pipeline-components against the emulator, in an environment of their own.

They need google-cloud-aiplatform 1.x: `make pipeline-components` installs them beside this project's own.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import PROGRAM_SECONDS, STOP_SECONDS
from tests.integration.emulator.conftest import fill_bucket, storage_client
from vertex_torchserve.emulator import Emulator

PYTHON = Path(__file__).parents[3] / "build" / "pipeline-components" / "bin" / "python"
PACKAGE = "google_cloud_pipeline_components.container.v1"
LOCATION = "us-central1"
# Launchers as their containers start them, but that they poll at once and not after 20 seconds, that the one
# gRPC client speaks REST, and that each is a fork of one process: Google's libraries take seconds to import.
# A line is a launcher and its arguments; its exit code is printed.
LAUNCHES = f"""\
import functools, importlib, json, os, signal, sys
from google.cloud import aiplatform
for name in ("job_remote_runner", "lro_remote_runner"):
    importlib.import_module("{PACKAGE}.gcp_launcher." + name)._POLLING_INTERVAL_IN_SECONDS = 0.2
aiplatform.gapic.JobServiceClient = functools.partial(aiplatform.gapic.JobServiceClient, transport="rest")
for line in sys.stdin:
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    signal.alarm({int(PROGRAM_SECONDS)})
    os.dup2(2, 1)
    module, *arguments = json.loads(line)
    importlib.import_module("{PACKAGE}." + module + ".launcher").main(arguments)
    break
"""


@pytest.fixture(scope="module")
def launchers() -> None:
    """Their environment; without one the tests are skipped, or fail with REQUIRE_PIPELINE_COMPONENTS=1."""
    if not PYTHON.exists():
        reason = "NO PIPELINE COMPONENTS, GOOGLE'S LAUNCHERS ARE NOT TESTED (make pipeline-components)"
        if os.environ.get("REQUIRE_PIPELINE_COMPONENTS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def google(launchers: None) -> Iterator[Emulator]:
    with Emulator.start(buckets=["models"], google_hosts=True) as running:
        fill_bucket(running.storage_host)
        yield running


class Launcher:
    """Runs launchers in a folder of the test's own, until the end of its context."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(PYTHON), "-c", LAUNCHES],
                env={**os.environ, **emulator.environment(), "GOOGLE_CLOUD_PROJECT": "my-project"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.communicate(timeout=STOP_SECONDS)

    def run(
        self,
        module: str,
        kind: str,
        payload: dict[str, Any],
        *outputs: str,
        inputs: dict[str, Any] | None = None,
        options: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """The artifacts that a launcher hands on, by name.

        Args:
            module: Below `container.v1`.
            kind: What it calls its job.
            payload: As its component renders it: fields nobody gave are there, and empty.
            outputs: The artifacts that its component declares.
            inputs: The artifacts that it is given.
            options: Further options of the launcher.
        """
        result = self._folder / "executor_output.json"
        artifacts = {name: {"artifacts": [{"name": name, "uri": "", "metadata": {}}]} for name in outputs}
        given = {name: {"artifacts": [artifact]} for name, artifact in (inputs or {}).items()}
        executor_input = {
            "inputs": {"artifacts": given},
            "outputs": {"artifacts": artifacts, "outputFile": str(result)},
        }
        arguments = ["--type", kind, "--payload", json.dumps(payload), "--project", "my-project"]
        arguments += ["--location", LOCATION, "--gcp_resources", str(self._folder / kind / "resources")]
        arguments += ["--executor_input", json.dumps(executor_input)] if outputs else []
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([module, *arguments, *options]), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "0\n", self._log.read_text()[-4000:]
        if not outputs:
            return {}
        found: dict[str, Any] = json.loads(result.read_text())["artifacts"]
        return {name: artifact["artifacts"][0] for name, artifact in found.items()}


@pytest.fixture
def launcher(google: Emulator, tmp_path: Path) -> Iterator[Launcher]:
    with Launcher(google, tmp_path) as running:
        yield running


def test_a_model_s_life_by_google_s_own_components(launcher: Launcher, google: Emulator) -> None:
    gcs = storage_client(google.storage_host)
    gcs.bucket("models").blob("in.jsonl").upload_from_string('1\n"two"\n')

    endpoint = launcher.run(
        "endpoint.create_endpoint",
        "CreateEndpoint",
        {
            "display_name": "by-a-pipeline",
            "description": "",
            "labels": {"team": "a"},
            "encryption_spec": {"kms_key_name": ""},
            "network": "",
        },
        "endpoint",
    )["endpoint"]["metadata"]["resourceName"]
    first = upload(launcher)
    assert first.endswith("@1")
    assert upload(launcher, "--parent_model_name", first) == first.replace("@1", "@2")

    launcher.run("endpoint.deploy_model", "DeployModel", deployment(endpoint, first))
    job = launcher.run("batch_prediction_job", "BatchPredictionJob", batch_job(first), "gcs_output_directory")
    folder = job["gcs_output_directory"]["uri"].removeprefix("gs://models/")
    (results,) = gcs.list_blobs("models", prefix=f"{folder}/prediction.results")
    assert [json.loads(line)["prediction"] for line in results.download_as_text().splitlines()] == [
        {"echo": 1},
        {"echo": "two"},
    ]
    gcs.close()

    launcher.run(
        "endpoint.undeploy_model",
        "UndeployModel",
        {"endpoint": endpoint, "model": first, "traffic_split": {}},
    )
    launcher.run("model.delete_model", "DeleteModel", {"model": first})


def upload(launcher: Launcher, *options: str) -> str:
    """What the launcher of ModelUpload calls the version that it makes."""
    payload = {
        "display_name": "by-a-pipeline",
        "description": "",
        "explanation_spec": {"parameters": {}, "metadata": {}},
        "encryption_spec": {"kms_key_name": ""},
        "version_aliases": ["golden"],
        "labels": {},
        "pipeline_job": "projects/my-project/locations/us-central1/pipelineJobs/job",
    }
    container = {
        "imageUri": "us-central1-docker.pkg.dev/p/r/torchserve-cpu:1",
        # As KFP hands integers on.
        "ports": [{"containerPort": 7080.0}],
        "predictRoute": "/predictions/model",
        "healthRoute": "/ping",
    }
    artifact = {"uri": "gs://models/echo", "metadata": {"containerSpec": container}}
    found = launcher.run(
        "model.upload_model",
        "UploadModel",
        payload,
        "model",
        inputs={"unmanaged_container_model": artifact},
        options=options,
    )
    name: str = found["model"]["metadata"]["resourceName"]
    return name


def deployment(endpoint: str, model: str) -> dict[str, Any]:
    """ModelDeploy's payload."""
    machine = {"machine_type": "n1-standard-4", "accelerator_type": "", "accelerator_count": 0}
    return {
        "endpoint": endpoint,
        "traffic_split": {"0": 100},
        "deployed_model": {
            "model": model,
            "dedicated_resources": {"machine_spec": machine, "min_replica_count": 1, "max_replica_count": 1},
            "automatic_resources": {"min_replica_count": 0, "max_replica_count": 0},
            "service_account": "",
            "disable_container_logging": False,
            "enable_access_logging": False,
            "explanation_spec": {"parameters": {}, "metadata": {}},
        },
    }


def batch_job(model: str) -> dict[str, Any]:
    """ModelBatchPredict's payload."""
    machine = {"machine_type": "n1-standard-4", "accelerator_type": "", "accelerator_count": 0}
    return {
        "display_name": "by-a-pipeline",
        "model": model,
        "input_config": {
            "instances_format": "jsonl",
            "gcs_source": {"uris": ["gs://models/in.jsonl"]},
            "bigquery_source": {"input_uri": ""},
        },
        "instance_config": {"instance_type": "", "key_field": ""},
        "model_parameters": {},
        "output_config": {
            "predictions_format": "jsonl",
            "gcs_destination": {"output_uri_prefix": "gs://models/out"},
            "bigquery_destination": {"output_uri": ""},
        },
        "dedicated_resources": {
            "machine_spec": machine,
            "starting_replica_count": 1,
            "max_replica_count": 1,
        },
        "service_account": "",
        "manual_batch_tuning_parameters": {"batch_size": 0},
        "generate_explanation": False,
        "explanation_spec": {"parameters": {}, "metadata": {}},
        "labels": {},
        "encryption_spec": {"kms_key_name": ""},
    }
