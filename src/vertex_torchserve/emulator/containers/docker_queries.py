"""What the emulator asks Docker's engine beside starting and stopping containers."""

import subprocess
from typing import BinaryIO

from vertex_torchserve.docker import Container, DockerError, ask, client

# An image may have several GB.
_PULL_SECONDS = 1800.0
_GATEWAY = "{{(index .IPAM.Config 0).Gateway}}"
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def gateway() -> str:
    """The address under which containers of the default network find this machine.

    Raises:
        DockerError: When the engine has no such network.
    """
    return ask("network", "inspect", "--format", _GATEWAY, "bridge").strip()


def image_id(image: str) -> str:
    """The digest of an image, which is pulled when the engine doesn't have it.

    Raises:
        DockerError: When it can't be pulled.
    """
    question = ("image", "inspect", "--format", "{{.Id}}", image)
    try:
        return ask(*question).strip()
    except DockerError:
        ask("pull", "--quiet", image, seconds=_PULL_SECONDS)
        return ask(*question).strip()


def address(container: Container) -> str:
    """The container's address in the engine's network; empty when it has ended."""
    return ask("container", "inspect", "--format", _ADDRESS, container.id).strip()


def execute(container: Container, *command: str, seconds: float) -> None:
    """Run a command in a container, in its root folder.

    Raises:
        DockerError: When it exits with another code than 0, or takes longer than `seconds`.
    """
    ask("exec", "--workdir", "/", container.id, *command, seconds=seconds)


def follow_logs(container: Container, file: BinaryIO) -> "subprocess.Popen[bytes]":
    """Copy what a container writes, from its start on; the process that does so ends with the container."""
    return subprocess.Popen([client(), "logs", "--follow", container.id], stdout=file, stderr=file)
