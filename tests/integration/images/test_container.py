"""The docker wrapper against a real engine."""

import subprocess
import uuid

import pytest

from testbed.deadlines import ANSWER_SECONDS
from vertex_torchserve import docker


def containers_with(label: str) -> list[str]:
    command = [docker.client(), "ps", "--all", "--quiet", "--filter", f"label={label}"]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=ANSWER_SECONDS
    ).stdout.split()


@pytest.fixture
def label() -> str:
    return f"vts-test={uuid.uuid4()}"


def test_nothing_is_left_of_a_container_that_can_t_start(image: str, label: str) -> None:
    with pytest.raises(docker.DockerError, match=r"docker start failed: .*no-such-program"):
        docker.Container.run(image, options=("--label", label, "--entrypoint", "/no-such-program"))
    assert containers_with(label) == []


def test_a_container_from_start_to_removal(image: str, label: str) -> None:
    options = ("--label", label, "--entrypoint", "sh", "--no-healthcheck")
    script = "echo $WORD; echo problem >&2; exit 7"
    with docker.Container.run(
        image, "-c", script, environment={"WORD": "a word"}, options=options
    ) as container:
        assert containers_with(label) == [container.id[:12]]
        assert container.stop() == 7
        assert container.state() == docker.ContainerState("exited", 7, None)
        assert container.logs() == "a word\nproblem\n"
    assert containers_with(label) == []


def test_an_unknown_image(engine: None) -> None:
    with pytest.raises(docker.DockerError, match=r"docker image failed: .*no-such-image:none"):
        docker.inspect_image("vertex-torchserve/no-such-image:none")
