"""What a container spec makes of its values, and what it refuses."""

from typing import Any

import pytest

from vertex_torchserve.serving_plan import ContainerSpec, Probe, registered_form
from vertex_torchserve.serving_plan.container_spec import as_text
from vertex_torchserve.serving_plan.platform_variables import expand
from vertex_torchserve.serving_plan.probes import HEALTH_PROBE, STARTUP_PROBE

IMAGE = "us-central1-docker.pkg.dev/p/r/torchserve:1"


def test_what_is_not_given_is_not_sent() -> None:
    assert registered_form(ContainerSpec(IMAGE)) == {"imageUri": IMAGE}


def test_the_probes_of_our_images() -> None:
    probe = ["/opt/venv/bin/python", "-I", "-m", "vertex_torchserve.serving.probe"]
    assert registered_form(ContainerSpec(startup_probe=STARTUP_PROBE, health_probe=HEALTH_PROBE)) == {
        "startupProbe": {
            "exec": {"command": [*probe, "--wait", "1200"]},
            "periodSeconds": 10,
            "timeoutSeconds": 1230,
        },
        "healthProbe": {"exec": {"command": probe}, "periodSeconds": 10, "timeoutSeconds": 10},
    }


def test_floats_from_kfp_become_whole_numbers() -> None:
    spec = ContainerSpec(
        ports=[8080.0, 8081],
        environment={"WORKERS": 2.0, "RATE": 0.5, "ON": True, "NAME": "x"},
        args=["--workers", 2.0],
        command=["serve", 1],
    )
    assert list(spec.problems()) == []
    assert spec.port == 8080
    sent = registered_form(spec)
    assert sent["ports"] == [{"containerPort": 8080}, {"containerPort": 8081}]
    assert [type(port) for port in spec.ports] == [int, int]
    assert sent["env"] == [
        {"name": "WORKERS", "value": "2"},
        {"name": "RATE", "value": "0.5"},
        {"name": "ON", "value": "true"},
        {"name": "NAME", "value": "x"},
    ]
    assert sent["args"] == ["--workers", "2"]
    assert sent["command"] == ["serve", "1"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"ports": [True]}, "serving container port True is not a port"),
        ({"ports": [70000]}, "1 to 65535"),
        ({"predict_route": "predict"}, "predict_route 'predict' is not a path"),
        ({"health_route": "/ping?x=1"}, "health_route '/ping?x=1' is not a path"),
        (
            {"predict_route": "/a", "health_route": "/a"},
            "predict_route '/a' is the route of health checks, too",
        ),
        ({"environment": {"AIP_MODE": "x"}}, "environment variable 'AIP_MODE' can't be set"),
        ({"environment": {"A=B": "x"}}, "environment variable 'A=B' can't be set"),
        ({"environment": {"A": {}}}, "environment variable A is a dict"),
        ({"args": [["x"]]}, "args holds ['x']"),
        ({"command": [None]}, "command holds None"),
        ({"grpc_ports": [0]}, "port 0 is not a port"),
        ({"deployment_timeout": 7201}, "deployment_timeout 7201 is not a number of seconds up to 7200"),
        ({"deployment_timeout": "soon"}, "deployment_timeout 'soon'"),
        ({"shared_memory_size_mb": 0.5}, "shared_memory_size_mb 0.5 is not a whole number"),
        ({"invoke_route_prefix": "/v1"}, "invoke_route_prefix '/v1': Vertex AI takes '/*' alone"),
        ({"invoke_route_prefix": "/*", "predict_route": "/a"}, "Vertex AI takes one of them"),
        ({"startup_probe": Probe({})}, "startup_probe has no action; one of exec, grpc, httpGet, tcpSocket"),
        ({"liveness_probe": Probe({"grpc": {}, "exec": {"command": ["a"]}})}, "has exec, grpc; one of"),
        (
            {"health_probe": Probe({"grpc": {"url": "x"}})},
            "health_probe.grpc has no url; it has port, service",
        ),
        ({"health_probe": Probe({"tcpSocket": {}, "retries": 3})}, "health_probe has no retries; it has"),
        ({"health_probe": Probe({"exec": {"command": "ls -l"}})}, "command 'ls -l' is not a list of strings"),
        ({"health_probe": Probe({"exec": {}})}, "health_probe.exec.command None is not a list"),
        ({"health_probe": Probe({"httpGet": {"port": 0}})}, "health_probe.httpGet.port 0: 1 to 65535"),
        ({"health_probe": Probe({"httpGet": "/ping"})}, "health_probe.httpGet is '/ping'"),
        ({"health_probe": Probe({"grpc": {}, "periodSeconds": 0})}, "health_probe.periodSeconds 0 is not"),
    ],
)
def test_refused(fields: dict[str, Any], problem: str) -> None:
    (found,) = ContainerSpec(IMAGE, **fields).problems()
    assert problem in found.message


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (3, "3"), (2.5, "2.5"), (True, "true"), (False, "false"), ("3.0", "3.0")]
)
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_expansion_leaves_what_it_does_not_know_and_what_is_escaped() -> None:
    assert expand("$(A) $$(A) $(B) $A ${A}", {"A": "1"}) == "1 $(A) $(B) $A ${A}"
