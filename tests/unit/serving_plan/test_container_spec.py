"""What a container spec makes of its values, and what it refuses."""

from typing import Any

import pytest

from vertex_torchserve.serving_plan import ContainerSpec
from vertex_torchserve.serving_plan.container_spec import as_text
from vertex_torchserve.serving_plan.platform_variables import expand
from vertex_torchserve.serving_plan.probes import HEALTH_PROBE, STARTUP_PROBE

IMAGE = "us-central1-docker.pkg.dev/p/r/torchserve:1"


def test_what_is_not_given_is_not_sent() -> None:
    assert ContainerSpec(IMAGE).upload_arguments() == {
        "serving_container_image_uri": IMAGE,
        "serving_container_predict_route": None,
        "serving_container_health_route": None,
        "serving_container_ports": None,
        "serving_container_environment_variables": None,
        "serving_container_command": None,
        "serving_container_args": None,
    }


def test_the_probes_of_our_images() -> None:
    probe = ["/opt/venv/bin/python", "-I", "-m", "vertex_torchserve.serving.probe"]
    sent = ContainerSpec(startup_probe=STARTUP_PROBE, health_probe=HEALTH_PROBE).upload_arguments()
    assert {name: value for name, value in sent.items() if "_probe_" in name} == {
        "serving_container_startup_probe_exec": [*probe, "--wait", "1200"],
        "serving_container_startup_probe_period_seconds": 10,
        "serving_container_startup_probe_timeout_seconds": 1230,
        "serving_container_health_probe_exec": probe,
        "serving_container_health_probe_period_seconds": 10,
        "serving_container_health_probe_timeout_seconds": 10,
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
    sent = spec.upload_arguments()
    assert sent["serving_container_ports"] == [8080, 8081]
    assert [type(port) for port in sent["serving_container_ports"]] == [int, int]
    assert sent["serving_container_environment_variables"] == {
        "WORKERS": "2",
        "RATE": "0.5",
        "ON": "true",
        "NAME": "x",
    }
    assert sent["serving_container_args"] == ["--workers", "2"]
    assert sent["serving_container_command"] == ["serve", "1"]


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
