"""The interface of deploying as a component; `make component` compiles it to deploy.yaml."""

import os
from typing import Any

from kfp import dsl
from kfp.dsl import Input, Output

from vertex_torchserve.component.artifacts import VertexEndpoint, VertexModel

IMAGE = os.environ.get("VTS_COMPONENT_IMAGE", "vertex-torchserve-component:dev")


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def deploy_pytorch_model(
    vertex_model: Input[VertexModel],
    vertex_endpoint: Output[VertexEndpoint],
    endpoint: str = "",
    traffic: int = 100,
    machine_type: str = "n1-standard-4",
    accelerator_type: str = "",
    accelerator_count: int = 0,
    min_replicas: int = 1,
    max_replicas: int = 0,
    required_replicas: int = 0,
    autoscaling: dict[str, Any] = {},
    spot: bool = False,
    service_account: str = "",
    dedicated_endpoint: bool = False,
    access_logging: bool = False,
) -> None:
    """Deploy a model version; it gets its traffic once it has answered its golden requests.

    Args:
        vertex_model: The version that upload_pytorch_model registered.
        endpoint: Resource name, ID or display name of an endpoint; blank for the one that is called as the
            model is, and a new one when there is none.
        traffic: Percentage of the endpoint's traffic that the version gets, such as 10 for a canary.
        machine_type: A machine type of the region.
        accelerator_type: Such as NVIDIA_L4; blank for none.
        accelerator_count: For each replica.
        min_replicas: Always running.
        max_replicas: At most; 0 for as many as min_replicas.
        required_replicas: How many must run before the deployment counts as done; 0 for all.
        autoscaling: cpu, gpu, requests or a metric's whole name, and its target.
        spot: Take spot VMs.
        service_account: E-mail of the account that the container runs as.
        dedicated_endpoint: Whether a new endpoint gets a host of its own.
        access_logging: Whether each request is logged.
        vertex_endpoint: The endpoint; metadata resourceName and DeployedModelID.
    """
    from vertex_torchserve.component.deployment import run

    run(
        vertex_endpoint,
        vertex_model.metadata["resourceName"],
        endpoint=endpoint,
        traffic=traffic,
        machine_type=machine_type,
        accelerator_type=accelerator_type,
        accelerator_count=accelerator_count,
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        required_replicas=required_replicas,
        autoscaling=autoscaling,
        spot=spot,
        service_account=service_account,
        dedicated_endpoint=dedicated_endpoint,
        access_logging=access_logging,
    )


if __name__ == "__main__":
    import sys

    from kfp import compiler

    compiler.Compiler().compile(deploy_pytorch_model, sys.argv[1])
