"""What the SDK is handed, in the types it wants."""

from typing import Any

import pytest

from vertex_torchserve.vertex_ai.model_upload import ModelUpload, as_text, upload_problems
from vertex_torchserve.vertex_ai.probes import HEALTH_PROBE, STARTUP_PROBE

IMAGE = "us-central1-docker.pkg.dev/p/r/torchserve:1"


def plan(**fields: Any) -> ModelUpload:
    return ModelUpload("my-project", "us-central1", "demo", IMAGE, **fields)


def test_what_is_not_given_is_not_sent() -> None:
    assert plan().keyword_arguments() == {
        "display_name": "demo",
        "serving_container_image_uri": IMAGE,
        "serving_container_predict_route": None,
        "serving_container_health_route": None,
        "serving_container_ports": None,
        "serving_container_environment_variables": None,
        "serving_container_command": None,
        "serving_container_args": None,
        "description": None,
        "parent_model": None,
        "is_default_version": False,
        "version_description": None,
        "version_aliases": [],
        "labels": {},
    }


def test_the_probes_of_our_images() -> None:
    probe = ["/opt/venv/bin/python", "-I", "-m", "vertex_torchserve.serving.probe"]
    sent = plan(startup_probe=STARTUP_PROBE, health_probe=HEALTH_PROBE).keyword_arguments()
    assert {name: value for name, value in sent.items() if "_probe_" in name} == {
        "serving_container_startup_probe_exec": [*probe, "--wait", "1200"],
        "serving_container_startup_probe_period_seconds": 10,
        "serving_container_startup_probe_timeout_seconds": 1230,
        "serving_container_health_probe_exec": probe,
        "serving_container_health_probe_period_seconds": 10,
        "serving_container_health_probe_timeout_seconds": 10,
    }


def test_floats_from_kfp_become_whole_numbers() -> None:
    sent = plan(
        serving_container_ports=[8080.0, 8081],
        serving_container_environment_variables={"WORKERS": 2.0, "RATE": 0.5, "ON": True, "NAME": "x"},
        serving_container_args=["--workers", 2.0],
        serving_container_command=["serve", 1],
    ).keyword_arguments()
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


def test_lists_and_dicts_sent_are_not_the_callers() -> None:
    """The SDK appends `default` to the list of aliases it is given."""
    aliases, labels = ["golden"], {"team": "nlp"}
    sent = plan(version_aliases=aliases, labels=labels).keyword_arguments()
    sent["version_aliases"].append("default")
    sent["labels"]["other"] = "x"
    assert (aliases, labels) == (["golden"], {"team": "nlp"})
    assert plan(version_aliases=("golden",)).keyword_arguments()["version_aliases"] == ["golden"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("123", "123"),
        ("123@2", "123"),
        ("projects/p/locations/us-central1/models/123", "projects/p/locations/us-central1/models/123"),
        ("projects/p/locations/us-central1/models/123@golden", "projects/p/locations/us-central1/models/123"),
    ],
)
def test_a_parent_is_a_model_without_a_version(given: str, sent: str) -> None:
    upload = plan(parent_model=given)
    assert upload_problems(upload) == []
    assert upload.keyword_arguments()["parent_model"] == sent


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (3, "3"), (2.5, "2.5"), (True, "true"), (False, "false"), ("3.0", "3.0")]
)
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text
