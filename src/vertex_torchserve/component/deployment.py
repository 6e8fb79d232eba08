"""What the component that deploys calls: from a version to an endpoint that serves it."""

import logging
from typing import Any

from vertex_torchserve.component.artifacts import VertexEndpoint
from vertex_torchserve.component.task import begin_task
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.vertex_ai import Deployment, Machines, ModelName, deploy, plan_deployment

_log = logging.getLogger("vertex_torchserve.component")


def run(vertex_endpoint: VertexEndpoint, model: str, **inputs: Any) -> None:
    """Deploy a version, then describe its endpoint in `vertex_endpoint`.

    Args:
        vertex_endpoint: The output artifact; its `uri` and `metadata` are set.
        model: `projects/.../models/ID@VERSION`.
        inputs: The component's inputs by name.

    Raises:
        InputError: For everything wrong with the inputs, before anything is changed.
        ServingError: A golden request is not answered through the endpoint as expected.
        RegistryError: When Vertex AI refuses or fails; what was begun is taken back.
    """
    begin_task()
    wanted = deployment_of(model, **inputs)
    plan = plan_deployment(wanted)
    for what, how in plan.in_words():
        _log.info("%s: %s", what, how)
    deployed = deploy(plan, _log.info)
    vertex_endpoint.uri = f"https://{wanted.location}-aiplatform.googleapis.com/v1/{deployed.endpoint}"
    vertex_endpoint.metadata.update(
        {
            "resourceName": deployed.endpoint,
            "DeployedModelID": deployed.deployed_model_id,
            "Traffic": dict(deployed.traffic),
        }
    )


def deployment_of(model: str, **inputs: Any) -> Deployment:
    """The deployment of a version; empty inputs, and counts of 0, are not given.

    Args:
        model: `projects/.../models/ID@VERSION`.
        inputs: The component's inputs by name.

    Raises:
        InputError: `model` is not a version's resource name.
    """
    name = ModelName.parse(model)
    if name is None or name.project is None or name.location is None:
        raise InputError(
            Problem(
                f"vertex_model {model!r} is not a version's resource name",
                "connect the output vertex_model of upload_pytorch_model, or one of Google's own components",
            )
        )
    machines = Machines(
        machine_type=inputs["machine_type"],
        accelerator_type=inputs["accelerator_type"] or None,
        accelerator_count=inputs["accelerator_count"],
        min_replicas=inputs["min_replicas"],
        max_replicas=inputs["max_replicas"] or None,
        required_replicas=inputs["required_replicas"] or None,
        spot=inputs["spot"],
        autoscaling={name: int(target) for name, target in inputs["autoscaling"].items()},
    )
    return Deployment(
        name.project,
        name.location,
        model,
        endpoint=inputs["endpoint"] or None,
        traffic=inputs["traffic"],
        machines=machines,
        service_account=inputs["service_account"] or None,
        dedicated_endpoint=inputs["dedicated_endpoint"],
        access_logging=inputs["access_logging"],
    )
