"""The serving image under test: built once a session, or the one that VTS_TEST_IMAGE names."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import BUILD_SECONDS, PROGRAM_SECONDS
from tests.commands import COMMAND
from vertex_torchserve import docker

ROOT = Path(__file__).parents[3]
# The first test of these waits for the image, which may have to be built.
LIMIT_SECONDS = 2 * BUILD_SECONDS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the limit of one that waits for the image."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS))


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine; without one the tests are skipped, or fail where REQUIRE_DOCKER=1."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(docker.CLIENT_VARIABLE, printed_by("docker_client.sh"))
        try:
            docker.engine_version()
        except docker.DockerError as error:
            if os.environ.get("REQUIRE_DOCKER") == "1":
                raise
            pytest.skip(
                f"NO DOCKER ENGINE, THE SERVING IMAGES ARE NOT TESTED (scripts/docker_engine.sh): {error}"
            )
        yield


@pytest.fixture(scope="session")
def image(engine: None, tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> str:
    """The name of the image under test."""
    named = os.environ.get("VTS_TEST_IMAGE")
    if named:
        return named
    # Test processes that run side by side have this folder in common: one builds, the others find it built. A
    # second build would leave the others with facts about an image that the name is no longer of.
    shared = tmp_path_factory.getbasetemp().parent
    built = shared / f"image-built-{testrun_uid}"
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            build_image()
            built.touch()
    return "torchserve-cpu:dev"


def base_options() -> list[str]:
    """What `images build cpu` is told here beside what a document says: the bases of this machine."""
    runtime, build = (printed_by("base_image.sh", kind) for kind in ("runtime", "build"))
    arguments = [f"BASE_IMAGE={runtime}", f"BUILD_IMAGE={build}"]
    return [word for argument in arguments for word in ("--build-arg", argument)]


def build_image() -> None:
    answer = subprocess.run(
        [COMMAND, "images", "build", "cpu", *base_options()],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    assert answer.stdout.startswith("torchserve-cpu:dev: ")


def printed_by(script: str, *arguments: str) -> str:
    """What one of the checkout's scripts says: the client to use, a base image."""
    command = [str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=PROGRAM_SECONDS
    ).stdout.strip()


@pytest.fixture(scope="session")
def facts(image: str) -> dict[str, Any]:
    """What the engine knows of the image."""
    return docker.inspect_image(image)
