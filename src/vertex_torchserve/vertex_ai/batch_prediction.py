"""Ask a model version in a batch prediction job, and read what failed."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve import gcs
from vertex_torchserve.errors import RegistryError, raise_problems
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.machines import Machines
from vertex_torchserve.vertex_ai.model_names import model_region_problems
from vertex_torchserve.vertex_ai.named_resources import find_model
from vertex_torchserve.vertex_ai.place import place_problems

_ERRORS = "errors_"
_POLL_SECONDS = 2.0
_SHOWN_FAILURES = 20


@dataclass(frozen=True)
class BatchJob:
    """A job that is wanted.

    Attributes:
        project: Google Cloud project id.
        location: Vertex AI region.
        model: Resource name, id or display name; `@VERSION` or `@ALIAS` may follow.
        source: gs:// path of a JSONL file, one instance a line; a `*` at its end takes all that begin so.
        destination: gs:// folder below which the job makes one of its own.
        instances: Written to a file below `destination` in place of `source`.
        parameters: For all instances; not sent when None.
        batch_size: Instances of one request; Vertex AI takes 64 when None.
        machines: What the model runs on.
        service_account: That the container runs as.
    """

    project: str
    location: str
    model: str
    source: str
    destination: str
    instances: Sequence[Any] | None = None
    parameters: Mapping[str, Any] | None = None
    batch_size: int | None = None
    machines: Machines = field(default_factory=Machines)
    service_account: str | None = None


@dataclass(frozen=True)
class BatchResult:
    """A finished batch prediction job.

    Attributes:
        job: Resource name.
        output_folder: The gs:// folder with `prediction.results-*` and, when any failed, `errors_*`.
        predicted: How many instances were answered.
        failed: How many were not.
        failures: The first of them: `{"instance", "error"}`.
    """

    job: str
    output_folder: str
    predicted: int
    failed: int
    failures: Sequence[Mapping[str, Any]]


def start_batch_job(wanted: BatchJob) -> str:
    """Start a job; returns its resource name.

    Raises:
        InputError: With everything that is wrong with it; there is no such model.
        RegistryError: When Vertex AI refuses.
    """
    raise_problems(
        [
            *place_problems(wanted.project, wanted.location),
            *model_region_problems(wanted.model, wanted.location),
            *wanted.machines.problems(),
        ]
    )
    gcs.GcsPath.parse(wanted.destination)
    if wanted.instances is None:
        gcs.GcsPath.parse(wanted.source.removesuffix("*"))
    with explained(f"predict in batch with {wanted.model}"):
        connect(wanted.project, wanted.location)
        model = find_model(wanted.model)
        machines = wanted.machines
        source = wanted.source
        if wanted.instances is not None:
            source = _write_instances(wanted.instances, gcs.GcsPath.parse(wanted.destination))
        job = aiplatform.BatchPredictionJob.submit(
            job_display_name=model.display_name,
            model_name=f"{model.resource_name}@{model.version_id}",
            gcs_source=source,
            gcs_destination_prefix=wanted.destination,
            model_parameters=dict(wanted.parameters) if wanted.parameters is not None else None,
            machine_type=machines.machine_type,
            accelerator_type=machines.accelerator_type,
            accelerator_count=machines.accelerator_count or None,
            starting_replica_count=machines.most_replicas,
            batch_size=wanted.batch_size,
            service_account=wanted.service_account,
        )
        return str(job.resource_name)


def follow_batch_job(
    project: str, location: str, job_name: str, on_state: Callable[[str], None] = lambda _: None
) -> BatchResult:
    """Wait for the end of a job, and read what failed.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        job_name: Resource name or id.
        on_state: Called with each new state, such as `RUNNING`.

    Raises:
        RegistryError: When the job does not succeed.
    """
    shown = ""
    with explained(f"follow {job_name}"):
        connect(project, location)
        while True:
            job = aiplatform.BatchPredictionJob(job_name)
            resource = job.gca_resource
            state = resource.state.name.removeprefix("JOB_STATE_")
            if state != shown:
                on_state(state)
                shown = state
            if state in ("SUCCEEDED", "PARTIALLY_SUCCEEDED"):
                break
            if state in ("FAILED", "CANCELLED", "EXPIRED"):
                raise RegistryError(
                    f"{job.resource_name} ended {state}: {resource.error.message}",
                    "correct what it names; `vertex-torchserve smoke-test` proves an archive before",
                )
            time.sleep(_POLL_SECONDS)
    folder = resource.output_info.gcs_output_directory
    failures = _lines(folder, _ERRORS)
    stats = resource.completion_stats
    return BatchResult(
        job.resource_name, folder, stats.successful_count, stats.failed_count, failures[:_SHOWN_FAILURES]
    )


def _write_instances(instances: Sequence[Any], folder: gcs.GcsPath) -> str:
    """Write the JSONL file that a job reads; its name is made of its content, so a retry writes it once."""
    text = "".join(json.dumps(instance) + "\n" for instance in instances)
    name = f"instances-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"
    with tempfile.TemporaryDirectory(prefix="vts-") as local:
        file = Path(local, name)
        file.write_text(text)
        gcs.upload_file(file, folder.child(name))
    return str(folder.child(name))


def _lines(folder: str, prefix: str) -> list[Any]:
    """Every line of a folder's files whose names begin so."""
    found = []
    place = gcs.GcsPath.parse(folder)
    with tempfile.TemporaryDirectory(prefix="vts-") as local:
        for number, item in enumerate(gcs.list_folder(place)):
            if item.name.startswith(prefix):
                file = gcs.download_file(place.child(item.name), Path(local, str(number)))
                # Split as bytes: str.splitlines also breaks at U+2028, which may stand inside a JSON string.
                found += [json.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
    return found
