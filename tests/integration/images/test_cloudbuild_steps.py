"""The scripts of cloudbuild.yaml's steps, on the image under test."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from testbed.archives import RAISING_HANDLER, write_archive
from testbed.deadlines import PROGRAM_SECONDS
from tests.integration.images.model_stores import torchscript_store
from vertex_torchserve.docker import Container, client
from vertex_torchserve.serving.java_libraries.lock import read_lock

STEPS = Path(__file__).parents[3] / "scripts" / "cloudbuild"


@pytest.fixture(scope="module")
def environment(engine: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One in which the client under test is called `docker`, as in Cloud Build."""
    program = shutil.which(client())
    assert program is not None
    programs = tmp_path_factory.mktemp("bin")
    (programs / "docker").symlink_to(program)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def run_step(
    environment: dict[str, str], script: str, *arguments: str | Path
) -> "subprocess.CompletedProcess[str]":
    command = ["bash", str(STEPS / script), *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=PROGRAM_SECONDS
    )


def smoke_test(environment: dict[str, str], image: str, store: Path) -> "subprocess.CompletedProcess[str]":
    """Run it, and see that it leaves neither container nor network."""
    answer = run_step(environment, "smoke_test.sh", image, store)
    name = answer.stdout.partition("\n")[0]
    assert re.fullmatch(r"smoke-test-\d+-\d+", name)
    for kind in ("ps --all", "network ls"):
        command = ["docker", *kind.split(), "--quiet", "--filter", f"name={name}"]
        left = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
        assert left == ""
    return answer


@pytest.fixture(scope="module")
def sbom_file(image: str, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sbom") / "reports" / "image.cdx.json"
    answer = run_step(environment, "sbom.sh", image, file)
    assert answer.returncode == 0, answer.stderr
    return file


@pytest.fixture(scope="module")
def sbom(sbom_file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sbom_file.read_text())
    return document


def test_the_sbom_is_cyclonedx(sbom_file: Path, facts: dict[str, Any], image: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(sbom_file.read_text()) is None
    document = json.loads(sbom_file.read_text())
    described = document["metadata"]["component"]
    assert described["name"] == image.rpartition(":")[0]
    assert described["version"] == facts["Id"]
    del document["components"][0]["name"]
    assert validator.validate_str(json.dumps(document)) is not None


def test_the_sbom_lists_what_pip_and_dpkg_list(sbom: dict[str, Any], image: str) -> None:
    with Container.run(image, "3600", options=("--entrypoint", "sleep")) as container:
        python = json.loads(container.execute("python", "-m", "pip", "list", "--format", "json"))
        debian = container.execute("dpkg-query", "--show", "--showformat", "${Package} ${Version}\n")
        inventory = json.loads(container.execute("cat", "/opt/venv/inventory.json"))
    listed = {
        kind: {
            f"{component['name']} {component['version']}"
            for component in sbom["components"]
            if component.get("purl", "").startswith(f"pkg:{kind}/")
        }
        for kind in ("pypi", "deb")
    }
    assert len(python) > 50
    normal = {
        f"{found['name'].lower().replace('_', '-').replace('.', '-')} {found['version']}" for found in python
    }
    assert listed["pypi"] == normal
    assert listed["deb"] == set(debian.splitlines())
    for kind, part in (("pypi", "packages"), ("deb", "system")):
        named = {f"{name} {about['version']}" for name, about in inventory[part].items()}
        assert listed[kind] == named


def test_the_sbom_lists_java_s_parts(sbom: dict[str, Any]) -> None:
    versions = {component.get("purl", "").partition("@")[0]: component for component in sbom["components"]}
    assert versions["pkg:generic/openjdk"]["version"].startswith("21.")
    [identity] = versions["pkg:maven/io.netty/netty-codec-http"]["evidence"]["identity"]
    assert (identity["field"], identity["confidence"]) == ("version", 1)
    assert "pkg:maven/com.lmax/disruptor" in versions
    jars = {
        found["name"].rpartition("/")[2]: found for found in sbom["components"] if found["type"] == "file"
    }
    # What is served with here is what the tests outside of the image run with.
    expected = read_lock().digests
    assert {name: jars[name]["hashes"] for name in expected} == {
        name: [{"alg": "SHA-256", "content": digest}] for name, digest in expected.items()
    }
    assert "model-server.jar" not in jars


def test_the_vex_speaks_of_what_the_sbom_lists(sbom: dict[str, Any]) -> None:
    listed = {component.get("purl") for component in sbom["components"]}
    vex = json.loads((STEPS.parents[1] / "images" / "openvex.json").read_text())
    products = {found["@id"] for statement in vex["statements"] for found in statement["products"]}
    assert products
    assert products <= listed


def test_the_same_image_has_the_same_sbom(
    image: str, environment: dict[str, str], sbom_file: Path, tmp_path: Path
) -> None:
    assert run_step(environment, "sbom.sh", image, tmp_path / "again.json").returncode == 0
    assert (tmp_path / "again.json").read_bytes() == sbom_file.read_bytes()


def test_the_smoke_test_passes(image: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    answer = smoke_test(environment, image, torchscript_store(tmp_path / "store", tmp_path / "model"))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "predictions [6.0, -3.0]" in answer.stdout


def test_the_smoke_test_of_another_model_fails(
    image: str, environment: dict[str, str], tmp_path: Path
) -> None:
    answer = smoke_test(environment, image, write_archive(tmp_path / "store", RAISING_HANDLER).parent)
    assert answer.returncode == 1
    assert "smoke test failed: the predictions are answered with" in answer.stderr
    assert "the server's log:" in answer.stderr
