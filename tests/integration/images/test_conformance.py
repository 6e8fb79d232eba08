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
ENTRYPOINT {entrypoint}
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
    """An image of the small server with the faults that the test names."""
    name = "-".join(["vts-test/small-server", str(os.getpid()), *request.param]) + ":1"
    entrypoint = json.dumps(["/opt/venv/bin/python", "-m", "testbed.conformance", *request.param])
    dockerfile = DOCKERFILE.format(image=image, entrypoint=entrypoint)
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


@pytest.mark.parametrize(
    "server_image",
    [
        [*CONTAINER_FAULTS],
        *(pytest.param([fault], marks=pytest.mark.heavy) for fault in CONTAINER_FAULTS),
        pytest.param([], marks=pytest.mark.heavy),
    ],
    indirect=True,
    ids="-".join,
)
def test_faults_that_a_container_shows_fail_their_checks_and_no_others(
    server_image: str, neighbour: str, request: pytest.FixtureRequest
) -> None:
    run = run_command("conformance", server_image, "--json", "--env", f"{NEIGHBOUR}={neighbour}")
    expected = [CONTAINER_FAULTS[fault][0] for fault in request.node.callspec.params["server_image"]]
    assert run.returncode == 0, run.stdout + run.stderr  # none of them breaks the contract
    checks = json.loads(run.stdout)["checks"]
    failed = {each["check"]: each for each in checks if each["result"] != "passed"}
    assert failed.keys() == set(expected), failed
