"""The demo's steps, in order, and the summary of what they found."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from vertex_torchserve import gcs, vertex_ai
from vertex_torchserve.demo.pipeline import PipelineInputs, run_pipeline
from vertex_torchserve.demo.sentences import SENTENCES, embed_directly, smallest_cosine
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.errors import ServingError
from vertex_torchserve.unfinished import remove_abandoned, written_beside

PROJECT = "demo-project"
LOCATION = "us-central1"
BUCKET = "vertex-torchserve-demo"
IMAGE = f"{LOCATION}-docker.pkg.dev/{PROJECT}/serving/torchserve-cpu:dev"
# Served and direct embeddings differ by rounding only; below this the model or its pooling is another.
LEAST_COSINE = 0.9999
STEPS = {
    "emulator": "start Cloud Storage and Vertex AI on loopback",
    "model": "put all-MiniLM-L6-v2 into a bucket",
    "pipeline": "run the KFP component: stage, package, smoke test, register",
    "archive": "fetch the registered archive",
    "deploy": "deploy the model version to an endpoint",
    "predict": "ask the endpoint, compare with the model run directly",
    "batch": "run a batch prediction job",
    "stop": "stop everything",
}


@dataclass
class Summary:
    """What the demo found; written to `summary.json` with these names.

    Attributes:
        mar_path: The archive that was registered, fetched from its bucket.
        mar_sha256: Its digest, in hex.
        model_resource_name: `projects/NUMBER/locations/LOCATION/models/ID`.
        model_version_id: The version, such as `1`.
        endpoint_resource_name: The endpoint that was asked.
        cosine_min: The smallest cosine between a served embedding and the model's own.
        online_predictions: Predictions of the endpoint.
        batch_predictions: Predictions of the batch job.
        seconds: How long each of `STEPS` took.
    """

    mar_path: str = ""
    mar_sha256: str = ""
    model_resource_name: str = ""
    model_version_id: str = ""
    endpoint_resource_name: str = ""
    cosine_min: float = 0.0
    online_predictions: int = 0
    batch_predictions: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def run_demo(output: Path, model_folder: Path, on_step: Callable[[str], None]) -> Summary:
    """Run all `STEPS`, and stop everything that was started, also after a failure.

    Args:
        output: Folder for `summary.json`, the archive and the pipeline's log.
        model_folder: The all-MiniLM-L6-v2 folder.
        on_step: Called with the key of the step that begins.

    Raises:
        ServingError: When the predictions differ from what the model computes without a server.
        VertexTorchServeError: When a step fails.
    """
    summary = Summary()

    @contextmanager
    def step(name: str) -> Iterator[None]:
        on_step(name)
        started = time.monotonic()
        yield
        summary.seconds[name] = round(time.monotonic() - started, 3)

    output.mkdir(parents=True, exist_ok=True)
    with step("emulator"):
        emulator = Emulator.start(buckets=[BUCKET])
    try:
        os.environ.update(emulator.environment())
        with step("model"):
            _put_model(model_folder)
        with step("pipeline"):
            metadata = run_pipeline(_pipeline_inputs(), output / "pipeline", output / "pipeline.log")
            summary.model_resource_name = metadata["resourceName"].partition("@")[0]
            summary.model_version_id = metadata["VersionID"]
        with step("archive"):
            summary.mar_path, summary.mar_sha256 = _fetch_archive(metadata, output)
        with step("deploy"):
            plan = vertex_ai.plan_deployment(
                vertex_ai.Deployment(PROJECT, LOCATION, metadata["resourceName"])
            )
            summary.endpoint_resource_name = vertex_ai.deploy(plan).endpoint
        with step("predict"):
            direct = embed_directly(model_folder, SENTENCES)
            endpoint = vertex_ai.AskedEndpoint(vertex_ai.find_endpoint(summary.endpoint_resource_name))
            served = endpoint.predict(SENTENCES).predictions
            summary.online_predictions = len(served)
            summary.cosine_min = smallest_cosine(served, direct)
        with step("batch"):
            summary.batch_predictions = _run_batch(metadata["resourceName"])
        with step("stop"):
            vertex_ai.undeploy(PROJECT, LOCATION, summary.endpoint_resource_name, delete_endpoint=True)
            emulator.stop()
    finally:
        emulator.stop()
    remove_abandoned(output, ".summary.json.*.part")
    with written_beside(output / "summary.json") as part:
        part.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    if summary.cosine_min < LEAST_COSINE:
        raise ServingError(
            f"served and direct embeddings differ: smallest cosine {summary.cosine_min}, at least "
            f"{LEAST_COSINE} is needed"
        )
    return summary


def _pipeline_inputs() -> PipelineInputs:
    return PipelineInputs(
        project=PROJECT,
        location=LOCATION,
        model_folder=f"gs://{BUCKET}/all-MiniLM-L6-v2",
        staging_folder=f"gs://{BUCKET}/staging",
        image=IMAGE,
    )


def _put_model(model_folder: Path) -> None:
    inputs = _pipeline_inputs()
    target = gcs.GcsPath.parse(inputs.model_folder)
    for file in sorted(path for path in model_folder.rglob("*") if path.is_file()):
        gcs.upload_file(file, target.child(file.relative_to(model_folder).as_posix()))
    _put_text(f"{inputs.staging_folder}/instances.json", json.dumps(SENTENCES[:3]))


def _put_text(path: str, text: str) -> None:
    with NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        gcs.upload_file(Path(file.name), gcs.GcsPath.parse(path))


def _fetch_archive(metadata: dict[str, Any], output: Path) -> tuple[str, str]:
    source = gcs.GcsPath.parse(metadata["ArtifactUri"]).child("model.mar")
    target = output / "model.mar"
    target.unlink(missing_ok=True)  # of an earlier run
    gcs.download_file(source, target)
    with target.open("rb") as file:
        return str(target), hashlib.file_digest(file, "sha256").hexdigest()


def _run_batch(model_resource_name: str) -> int:
    """Send every sentence twice, which is more than one group of 64; returns the number of predictions."""
    wanted = vertex_ai.BatchJob(
        PROJECT, LOCATION, model_resource_name, "", f"gs://{BUCKET}/batch", instances=SENTENCES * 2
    )
    return vertex_ai.follow_batch_job(PROJECT, LOCATION, vertex_ai.start_batch_job(wanted)).predicted
