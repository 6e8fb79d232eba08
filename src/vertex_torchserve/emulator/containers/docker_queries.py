"""What the emulator asks Docker's engine beside starting and stopping containers."""

import subprocess
from typing import BinaryIO

from vertex_torchserve.docker import Container, DockerError, client

_QUERY_SECONDS = 60.0
# An image may have several GB.
_PULL_SECONDS = 1800.0
_GATEWAY = "{{(index .IPAM.Config 0).Gateway}}"
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def gateway() -> str:
    """The address under which containers of the default network find this machine.

    Raises:
        DockerError: When the engine has no such network.
    """
    return _ask("network", "inspect", "--format", _GATEWAY, "bridge")


def image_id(image: str) -> str:
    """The digest of an image, which is pulled when the engine doesn't have it.

    Raises:
        DockerError: When it can't be pulled.
    """
    question = ("image", "inspect", "--format", "{{.Id}}", image)
    try:
        return _ask(*question)
    except DockerError:
        _ask("pull", "--quiet", image, seconds=_PULL_SECONDS)
        return _ask(*question)


def address(container: Container) -> str:
    """The container's address in the engine's network; empty when it has ended."""
    return _ask("container", "inspect", "--format", _ADDRESS, container.id)


def execute(container: Container, *command: str, seconds: float) -> None:
    """Run a command in a container, in its root folder.

    Raises:
        DockerError: When it exits with another code than 0, or takes longer than `seconds`.
    """
    _ask("exec", "--workdir", "/", container.id, *command, seconds=seconds)


def follow_logs(container: Container, file: BinaryIO) -> "subprocess.Popen[bytes]":
    """Copy what a container writes, from its start on; the process that does so ends with the container."""
    return subprocess.Popen([client(), "logs", "--follow", container.id], stdout=file, stderr=file)


def _ask(*arguments: str, seconds: float = _QUERY_SECONDS) -> str:
    try:
        answer = subprocess.run(
            [client(), *arguments], capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise DockerError(f"docker {arguments[0]} did not end within {seconds:g} s") from None
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip() or f"exit code {answer.returncode}"
        raise DockerError(f"docker {arguments[0]}: {said}")
    return answer.stdout.strip()
