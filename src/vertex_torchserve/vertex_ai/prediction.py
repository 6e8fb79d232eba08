"""Deploy a registered model version, and ask it for predictions, online and in batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve.errors import RegistryError
from vertex_torchserve.vertex_ai.client import explained

DEFAULT_MACHINE_TYPE = "n1-standard-4"


@dataclass(frozen=True)
class BatchResult:
    """A finished batch prediction job.

    Attributes:
        job_resource_name: The job.
        output_folder: The gs:// folder with `prediction.results-*` and, when any failed, `errors_*`.
    """

    job_resource_name: str
    output_folder: str


def deploy(model_resource_name: str, *, machine_type: str = DEFAULT_MACHINE_TYPE) -> str:
    """Deploy a model version to an endpoint of its own; returns the endpoint's resource name.

    Args:
        model_resource_name: `projects/.../models/ID@VERSION`.
        machine_type: A machine type of the region.

    Raises:
        RegistryError: When Vertex AI refuses, or the model does not become ready.
    """
    with explained(f"deploy {model_resource_name}"):
        model = aiplatform.Model(model_resource_name)
        endpoint = aiplatform.Endpoint.create(display_name=model.display_name)
        model.deploy(endpoint, machine_type=machine_type, min_replica_count=1, max_replica_count=1)
        return str(endpoint.resource_name)


def undeploy(endpoint_resource_name: str) -> None:
    """Undeploy everything from an endpoint and delete it.

    Args:
        endpoint_resource_name: `projects/.../endpoints/ID`, as `deploy` returned it.

    Raises:
        RegistryError: When Vertex AI refuses or fails.
    """
    with explained(f"delete {endpoint_resource_name}"):
        aiplatform.Endpoint(endpoint_resource_name).delete(force=True)


def predict(
    endpoint_resource_name: str, instances: Sequence[Any], parameters: dict[str, Any] | None = None
) -> list[Any]:
    """Predictions of an endpoint, one for each instance, in their order.

    Args:
        endpoint_resource_name: `projects/.../endpoints/ID`, as `deploy` returned it.
        instances: Whatever the model's handler takes, as JSON.
        parameters: For all instances together; not sent when None.

    Raises:
        RegistryError: When the endpoint or the model fails.
        InputError: When the model refuses the instances as malformed.
    """
    with explained(f"predict with {endpoint_resource_name}"):
        endpoint = aiplatform.Endpoint(endpoint_resource_name)
        answer = endpoint.predict(instances=list(instances), parameters=parameters)
        return list(answer.predictions)


def batch_predict(
    model_resource_name: str, source: str, destination: str, *, machine_type: str = DEFAULT_MACHINE_TYPE
) -> BatchResult:
    """Run a batch prediction job over a JSONL file and wait for its end.

    Args:
        model_resource_name: `projects/.../models/ID@VERSION`.
        source: gs:// path of a JSONL file, one instance a line.
        destination: gs:// folder below which the job makes one of its own.
        machine_type: A machine type of the region.

    Raises:
        RegistryError: When the job does not succeed.
    """
    with explained(f"predict in batch with {model_resource_name}"):
        model = aiplatform.Model(model_resource_name)
        try:
            job = model.batch_predict(
                job_display_name=model.display_name,
                gcs_source=source,
                gcs_destination_prefix=destination,
                machine_type=machine_type,
                sync=True,
            )
        except RuntimeError as error:  # what the SDK raises when a job ends in another state
            raise RegistryError(f"the batch prediction job failed: {error}") from error
        if job.output_info is None:
            raise RegistryError(f"{job.resource_name} succeeded without saying where its output is")
        return BatchResult(job.resource_name, job.output_info.gcs_output_directory)
