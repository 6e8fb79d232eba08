"""What is registered is, field by field, what is deployed."""

from dataclasses import fields
from typing import Any

import pytest
from google.cloud import aiplatform

from vertex_torchserve.emulator.containers.container import container_spec_of
from vertex_torchserve.serving_plan import ContainerSpec
from vertex_torchserve.serving_plan.probes import ExecProbe

SPEC = ContainerSpec(
    "us-central1-docker.pkg.dev/p/r/server:1",
    predict_route="/ask",
    health_route="/healthy",
    ports=(7080, 7081),
    environment={"THRESHOLD": "0.5", "EMPTY": ""},
    command=("/serve",),
    args=("--port", "$(AIP_HTTP_PORT)"),
    startup_probe=ExecProbe(("/probe", "--wait"), 10, 20),
    health_probe=ExecProbe(("/probe",), 11, 21),
)


@pytest.mark.usefixtures("vertex")
def test_a_container_spec_comes_back_from_the_registry_as_it_was_sent() -> None:
    model = aiplatform.Model.upload(display_name="described once", **SPEC.upload_arguments())
    stored: dict[str, Any] = model.to_dict()["containerSpec"]
    returned = container_spec_of(stored)
    for field in fields(ContainerSpec):
        assert getattr(SPEC, field.name) != field.default, f"{field.name} is not tried here"
        assert getattr(returned, field.name) == getattr(SPEC, field.name)
