"""Which fields count with a prebuilt container, and which with one's own."""

from datetime import date
from typing import Any

import pytest

from vertex_torchserve.serving_plan import ContainerSpec
from vertex_torchserve.serving_plan.probes import HEALTH_PROBE, STARTUP_PROBE
from vertex_torchserve.vertex_ai.serving_container import ServingContainer

TODAY = date(2026, 11, 22)
OWN_IMAGE = "us-central1-docker.pkg.dev/p/serving/torchserve-cpu:1"
PREBUILT = "us-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"


def test_a_prebuilt_container_gets_command_and_args() -> None:
    container = ServingContainer(
        "model",
        serving_container_image_uri=PREBUILT,
        serving_container_args=["a"],
        serving_container_command=["c"],
        serving_container_ports=[8080],
        serving_environment_vars={"A": "B"},
    )
    assert container.problems() == []
    assert container.container_spec(TODAY) == ContainerSpec(PREBUILT, command=("c",), args=("a",))
    warnings = container.warnings("us-central1", TODAY)
    assert "serving_container_ports is ignored with custom_container=False" in warnings
    assert "serving_environment_vars is ignored with custom_container=False" in warnings
    assert any("2027-01-14" in warning for warning in warnings)


def test_a_custom_container_gets_routes_ports_and_environment() -> None:
    container = ServingContainer(
        "bert",
        custom_container=True,
        serving_container_image_uri=OWN_IMAGE,
        predict_route="/predictions/bert",
        serving_container_args=["a"],
        serving_container_command=["c"],
        serving_container_ports=[7080],
        serving_environment_vars={"A": "B"},
    )
    assert container.problems() == []
    assert container.container_spec(TODAY) == ContainerSpec(
        OWN_IMAGE,
        predict_route="/predictions/bert",
        health_route="/ping",
        ports=(7080,),
        environment={"A": "B"},
        startup_probe=STARTUP_PROBE,
        health_probe=HEALTH_PROBE,
    )
    assert container.warnings("us-central1", TODAY) == [
        "serving_container_args is ignored with custom_container=True",
        "serving_container_command is ignored with custom_container=True",
    ]


def test_an_image_in_another_region_is_a_warning() -> None:
    container = ServingContainer("model", custom_container=True, serving_container_image_uri=OWN_IMAGE)
    (warning,) = container.warnings("europe-west2", TODAY)
    assert "us-central1" in warning
    assert "europe-west2" in warning


@pytest.mark.parametrize(
    ("image", "ours"),
    [
        ("us-central1-docker.pkg.dev/p/serving/torchserve-cpu:1", True),
        ("europe-west2-docker.pkg.dev/p/r/torchserve-gpu@sha256:0123", True),
        ("localhost:5000/torchserve-gpu", True),
        ("torchserve-cpu:dev", True),
        ("us-central1-docker.pkg.dev/p/torchserve-cpu/server:torchserve-cpu", False),
        ("us-central1-docker.pkg.dev/p/r/torchserve-cpu-nlp:1", False),
        ("pytorch/torchserve:0.12.0-cpu", False),
    ],
)
def test_only_images_of_ours_get_their_probes(image: str, ours: bool) -> None:
    container = ServingContainer("model", custom_container=True, serving_container_image_uri=image)
    spec = container.container_spec(TODAY)
    assert (spec.startup_probe, spec.health_probe) == (
        (STARTUP_PROBE, HEALTH_PROBE) if ours else (None, None)
    )


def test_our_images_answer_on_any_route_and_others_on_torchserves() -> None:
    routes: dict[str, Any] = {"predict_route": "/v1/ask", "health_route": "/healthy"}
    ours = ServingContainer("m", custom_container=True, serving_container_image_uri=OWN_IMAGE, **routes)
    assert ours.problems() == []
    image = "us-central1-docker.pkg.dev/p/r/torchserve:1"
    other = ServingContainer("m", custom_container=True, serving_container_image_uri=image, **routes)
    predict, health = (problem.message for problem in other.problems())
    assert predict.startswith("predict_route '/v1/ask' is not TorchServe's route for model 'm'")
    assert health.startswith("health_route '/healthy' is not TorchServe's health route")
