"""What is registered is, field by field, what is deployed."""

from dataclasses import fields
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform

from vertex_torchserve.serving_plan import ContainerSpec, Probe, container_spec_of, registered_form
from vertex_torchserve.vertex_ai.upload_request import send_upload

# The emulator refuses these: it serves neither gRPC nor invoke (docs/emulator.md).
NOT_EMULATED = {"invoke_route_prefix", "grpc_ports"}

SPEC = ContainerSpec(
    "us-central1-docker.pkg.dev/p/r/server:1",
    predict_route="/ask",
    health_route="/healthy",
    ports=(7080, 7081),
    environment={"THRESHOLD": "0.5", "EMPTY": ""},
    command=("/serve",),
    args=("--port", "$(AIP_HTTP_PORT)"),
    startup_probe=Probe.running(("/probe", "--wait"), period_seconds=10, timeout_seconds=20),
    health_probe=Probe.of(
        {
            "http_get": {"path": "/ready", "scheme": "HTTP", "http_headers": [{"name": "A", "value": "1"}]},
            "period_seconds": 11.0,
            "failure_threshold": 30,
        }
    ),
    liveness_probe=Probe.of({"tcpSocket": {"port": 7081}, "initialDelaySeconds": 5, "successThreshold": 1}),
    deployment_timeout=1800,
    shared_memory_size_mb=2048,
)


@pytest.mark.usefixtures("vertex")
def test_a_container_spec_comes_back_from_the_registry_as_it_was_sent() -> None:
    place = "projects/my-project/locations/us-central1"
    model = {"displayName": "described once", "containerSpec": registered_form(SPEC)}
    name, _ = send_upload({"parent": place, "model": model}, {})
    stored: dict[str, Any] = aiplatform.Model(name).to_dict()["containerSpec"]
    returned = container_spec_of(stored)
    for field in fields(ContainerSpec):
        if field.name not in NOT_EMULATED:
            assert getattr(SPEC, field.name) != field.default, f"{field.name} is not tried here"
        assert getattr(returned, field.name) == getattr(SPEC, field.name)


@pytest.mark.usefixtures("vertex")
@pytest.mark.parametrize("field", sorted(NOT_EMULATED))
def test_what_is_not_emulated_is_refused_by_its_name(field: str) -> None:
    given: dict[str, Any] = {field: "/*" if field == "invoke_route_prefix" else (9000,)}
    form = registered_form(ContainerSpec("image:1", **given))
    name = next(name for name in form if name != "imageUri")
    model = {"displayName": "refused", "containerSpec": form}
    with pytest.raises(exceptions.MethodNotImplemented, match=f"model.containerSpec.{name}"):
        send_upload({"parent": "projects/my-project/locations/us-central1", "model": model}, {})
