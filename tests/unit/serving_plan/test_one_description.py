"""No field of a container spec reaches the registry and not what is proved, or the other way round."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import write_archive
from vertex_torchserve.serving_plan import ContainerSpec, Probe, ServingPlan, registered_form
from vertex_torchserve.smoke_test.container_server import Invocation

BASE = ContainerSpec("image:1")
# One other value for each field there is: a new field without one fails here.
OTHER: dict[str, Any] = {
    "image": "image:2",
    "predict_route": "/ask",
    "health_route": "/healthy",
    "ports": (7080,),
    "environment": {"THRESHOLD": "0.5"},
    "command": ("/serve",),
    "args": ("--fast",),
    "startup_probe": Probe.running(("/probe", "--wait"), period_seconds=10, timeout_seconds=20),
    "health_probe": Probe.of({"httpGet": {"path": "/ready"}}),
    "liveness_probe": Probe.of({"tcpSocket": {}}),
    "invoke_route_prefix": "/*",
    "grpc_ports": (9000,),
    "deployment_timeout": 900,
    "shared_memory_size_mb": 64,
}
FIELDS = [field.name for field in fields(ContainerSpec)]
# What only a container has. The smoke test in this Python says so of command and args; it uses no image.
PROBES = {"startup_probe", "health_probe", "liveness_probe"}
# How long it may take to become ready is a limit of the wait; ways in beside the predict route are not tried.
NOT_TOLD = {"deployment_timeout", "invoke_route_prefix", "grpc_ports"}
CONTAINER_ONLY = {"image", "command", "args", "shared_memory_size_mb", *PROBES, *NOT_TOLD}
# Probes are tried on the container once it is ready: tests/integration/images/test_smoke_test_in_docker.py.


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> ServingPlan:
    return ServingPlan.of(write_archive(tmp_path_factory.mktemp("archive"), modelName="bert"), BASE)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_reaches_the_registry_and_what_is_proved(plan: ServingPlan, name: str) -> None:
    changed = replace(plan, container=replace(BASE, **{name: OTHER[name]}))
    assert registered_form(changed.container) != registered_form(BASE)
    before, after = (Invocation.of(each, {}, "", ()) for each in (plan, changed))
    assert (before != after) == (name not in PROBES | NOT_TOLD)
    assert (changed.environment("/store") != plan.environment("/store")) == (name not in CONTAINER_ONLY)


def test_what_the_engine_is_told(plan: ServingPlan) -> None:
    spec = ContainerSpec(**{**OTHER, "args": ("--port", "$(AIP_HTTP_PORT)", "$(OTHER)")})
    told = Invocation.of(replace(plan, container=spec), {"THRESHOLD": "0.1", "VTS_WORKERS": "1"}, "", ())
    assert (told.image, told.ports) == ("image:2", (7080,))
    assert told.options == ("--entrypoint", "/serve", "--shm-size", "64m")
    assert told.command == ("--port", "7080", "$(OTHER)")
    assert told.mounts == {plan.mar_path: "/mnt/models/model.mar"}
    assert told.environment == {
        "VTS_LOG_FORMAT": "text",
        "VTS_WORKERS": "1",
        "THRESHOLD": "0.5",
        "AIP_HTTP_PORT": "7080",
        "AIP_HEALTH_ROUTE": "/healthy",
        "AIP_PREDICT_ROUTE": "/ask",
        "AIP_STORAGE_URI": "/mnt/models",
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_ENDPOINT_ID": "0",
        "AIP_DEPLOYED_MODEL_ID": "0",
        "AIP_MODEL_NAME": "0",
        "AIP_VERSION_NAME": "0",
        "AIP_MACHINE_TYPE": "n1-standard-2",
        "AIP_PROJECT_NUMBER": "0",
    }


def test_a_closed_network_has_no_published_port(plan: ServingPlan) -> None:
    told = Invocation.of(plan, {}, "vts-1", ("--cap-drop", "ALL"))
    assert told.ports == ()
    assert told.options == ("--network", "vts-1", "--cap-drop", "ALL")


def test_the_routes_of_the_archives_own_name(plan: ServingPlan) -> None:
    assert (plan.model_name, plan.predict_route, plan.health_route) == ("bert", "/predictions/bert", "/ping")
    assert plan.sha256 == ServingPlan.of(Path(plan.mar_path)).sha256
    assert len(plan.sha256) == 64
