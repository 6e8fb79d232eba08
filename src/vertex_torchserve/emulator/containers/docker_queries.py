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


class ContainerEnd:
    """The end of a container, known as soon as the engine knows it: a process of its client waits for it.

    Args:
        container: One that was started.
    """

    def __init__(self, container: Container) -> None:
        self._waiting = subprocess.Popen(
            [client(), "wait", container.id], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def has_come(self) -> bool:
        """Whether it has ended, or the engine has."""
        return self._waiting.poll() is not None

    def reason(self) -> str:
        """How it ended; asked once, and after it has come."""
        assert self._waiting.stdout is not None  # noqa: S101 (it is a pipe)
        said = self._waiting.stdout.read().strip()
        return f"it ended with code {said}" if self._waiting.returncode == 0 else f"its engine failed: {said}"

    def close(self) -> None:
        """Wait for it, and leave no process and no pipe behind."""
        with self._waiting:
            pass
