"""A container network from which nothing outside is reached."""

import uuid

from vertex_torchserve.docker import Container, ask


class ClosedNetwork:
    """A network of its own, made with this object, until `remove`.

    Its ports can't be published, so a container in it is asked at its own address; this machine reaches that
    where the engine runs on it, and not in a virtual machine.

    Raises:
        DockerError: When the engine refuses it.
    """

    def __init__(self) -> None:
        self.name = f"vts-{uuid.uuid4().hex[:12]}"
        ask("network", "create", "--internal", self.name)

    def address_of(self, container: Container) -> str:
        """The address of a container in it.

        Raises:
            DockerError: When there is no such container any more.
        """
        addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return ask("container", "inspect", "--format", addresses, container.id).strip()

    def remove(self) -> None:
        """Remove it, when no container is in it any more."""
        ask("network", "rm", self.name)
