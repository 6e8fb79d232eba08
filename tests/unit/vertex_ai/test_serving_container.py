"""Which fields count with a prebuilt container, and which with one's own."""

from datetime import date

import pytest

from vertex_torchserve.vertex_ai.probes import HEALTH_PROBE, STARTUP_PROBE
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
    assert container.upload_fields(TODAY) == {
        "serving_container_image_uri": PREBUILT,
        "serving_container_args": ["a"],
        "serving_container_command": ["c"],
    }
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
    assert container.upload_fields(TODAY) == {
        "serving_container_image_uri": OWN_IMAGE,
        "serving_container_predict_route": "/predictions/bert",
        "serving_container_health_route": "/ping",
        "serving_container_ports": [7080],
        "serving_container_environment_variables": {"A": "B"},
        "startup_probe": STARTUP_PROBE,
        "health_probe": HEALTH_PROBE,
    }
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
    fields = ServingContainer(
        "model", custom_container=True, serving_container_image_uri=image
    ).upload_fields(TODAY)
    expected = (STARTUP_PROBE, HEALTH_PROBE) if ours else (None, None)
    assert (fields["startup_probe"], fields["health_probe"]) == expected
