"""Our image keeps Vertex AI's contract; servers that need more than it grants fail the check that says so."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.conformance.small_faults import CONTAINER_FAULTS, NEIGHBOUR
from testbed.deadlines import PROGRAM_SECONDS
from tests.commands import run_command
from vertex_torchserve.docker import Container, ask, client

ROOT = Path(__file__).parents[3]
# The image's Python is Debian's; its user has no name, so that the servers start as root.
DOCKERFILE = """
FROM {image}
COPY testbed/__init__.py /srv/testbed/
COPY testbed/conformance /srv/testbed/conformance
USER root
HEALTHCHECK NONE
ENTRYPOINT ["/opt/venv/bin/python", "-m", "testbed.conformance"{fault}]
"""


def test_our_image_passes_every_check(image: str) -> None:
    run = run_command("conformance", image, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(run.stdout)
    assert report["ok"]
    assert [each for each in report["checks"] if each["result"] != "passed"] == []
    surroundings = [each["evidence"] for each in report["checks"] if each["group"] == "surroundings"]
    assert [each.rpartition(", ")[2] for each in surroundings] == ["under all three limits at once"] * 3


@pytest.fixture
def server_image(image: str, request: pytest.FixtureRequest) -> str:
    """An image of the small server, with the fault that the test names or none."""
    name = f"vts-test/small-server-{os.getpid()}-{request.param or 'good'}:1"
    fault = f', "{request.param}"' if request.param else ""
    dockerfile = DOCKERFILE.format(image=image, fault=fault)
    subprocess.run(
        [client(), "build", "--quiet", "--tag", name, "--file", "-", str(ROOT)],
        input=dockerfile, text=True, check=True, timeout=PROGRAM_SECONDS, stdout=subprocess.PIPE,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
    )  # fmt: skip
    request.addfinalizer(
        lambda: subprocess.run([client(), "rmi", "--force", name], check=True, timeout=PROGRAM_SECONDS)
    )
    return name


@pytest.fixture(scope="module")
def neighbour(image: str) -> Iterator[str]:
    """The address of a container with an open port."""
    options = ("--entrypoint", "/opt/venv/bin/python", "--no-healthcheck")
    with Container.run(image, "-m", "http.server", "8080", options=options) as container:
        yield ask("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container.id).strip()


@pytest.mark.parametrize("server_image", ["", *CONTAINER_FAULTS], indirect=True)
def test_a_fault_that_a_container_shows_fails_its_check_and_no_other(
    server_image: str, neighbour: str, request: pytest.FixtureRequest
) -> None:
    run = run_command("conformance", server_image, "--json", "--env", f"{NEIGHBOUR}={neighbour}")
    fault = request.node.callspec.params["server_image"]
    expected = [CONTAINER_FAULTS[fault][0]] if fault else []
    assert run.returncode == 0, run.stdout + run.stderr  # none of them breaks the contract
    checks = json.loads(run.stdout)["checks"]
    assert [each["check"] for each in checks if each["result"] != "passed"] == expected
