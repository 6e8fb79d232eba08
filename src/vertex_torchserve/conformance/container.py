"""Servers under test that are containers of an image."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from vertex_torchserve import docker
from vertex_torchserve.conformance.exchange import Address, NoAnswer
from vertex_torchserve.conformance.server import PLACE, Conditions, Server
from vertex_torchserve.conformance.verdict import Broken, NotRun
from vertex_torchserve.serving.settings import LOG_FORMAT
from vertex_torchserve.serving_plan.container_spec import DEFAULT_PORT
from vertex_torchserve.serving_plan.platform_variables import container_environment
from vertex_torchserve.smoke_test.closed_network import ClosedNetwork

ARTIFACT_FOLDER = "/mnt/models"
"""Where a container finds its artifact."""
# Far from the ports beside 8080, which servers have for metrics and the like.
_OTHER_PORT = 7080
_KILLED = 137
_SHOWN_LINES = 4
_SHOWN_CHARACTERS = 600


class ContainerLauncher:
    """Starts containers of one image, as Vertex AI does.

    Args:
        image: The image.
        port: What the model's container spec names.
        artifact: A file or a folder; containers find it, read-only, where `AIP_STORAGE_URI` says. None: that
            variable is empty, as for a model without an artifact.
        environment: What the model's container spec sets.
    """

    def __init__(self, image: str, port: int, artifact: Path | None, environment: Mapping[str, str]) -> None:
        self._image = image
        self._ports = (port, _OTHER_PORT if port != _OTHER_PORT else DEFAULT_PORT)
        self._artifact = artifact
        self._environment = environment

    @property
    def ports(self) -> tuple[int, int]:
        """The model's port, and another."""
        return self._ports

    @contextlib.contextmanager
    def start(self, conditions: Conditions) -> Iterator[Server]:
        """Start a container; it is removed at the end of the context."""
        mounts: dict[Path, str] = {}
        if self._artifact is not None:
            name = f"/{self._artifact.name}" if self._artifact.is_file() else ""
            mounts[self._artifact] = f"{ARTIFACT_FOLDER}{name}"
        environment = container_environment(
            self._environment,
            PLACE,
            port=conditions.port,
            predict_route=conditions.predict_route,
            health_route=conditions.health_route,
            storage_uri=ARTIFACT_FOLDER if self._artifact else "",
        )
        options = conditions.limits.docker_options()
        with contextlib.ExitStack() as stack:
            network = stack.enter_context(_closed_network()) if conditions.limits.network else None
            if network is not None:
                options += ["--network", network.name]
            try:
                container = docker.Container.run(
                    self._image,
                    # Text, of our images, is what is shown here; other images know nothing of it.
                    environment={LOG_FORMAT: "text", **environment},
                    read_only_mounts=mounts,
                    published_ports=() if network else self._ports,
                    options=options,
                )
            except docker.DockerError as error:
                raise Broken(f"the container could not be started: {error.message}") from error
            yield _ContainerServer(stack.enter_context(container), network)


class _ContainerServer:
    """A container, asked on ports of 127.0.0.1, or in a closed network at its own address."""

    def __init__(self, container: docker.Container, network: ClosedNetwork | None) -> None:
        self._container = container
        self._network = network

    def address(self, port: int) -> Address:
        try:
            if self._network is not None:
                return self._network.address_of(self._container), port
            return "127.0.0.1", self._container.published_port(port)
        except docker.DockerError as error:
            raise NoAnswer("the container has ended") from error

    def exit_code(self) -> int | None:
        return self._container.state().exit_code

    def terminate(self, seconds: float) -> int | None:
        code = self._container.stop(int(seconds))
        return None if code == _KILLED else code

    def log_tail(self) -> str:
        lines = [line.strip() for line in self._container.logs().splitlines() if line.strip()]
        return " | ".join(lines[-_SHOWN_LINES:])[-_SHOWN_CHARACTERS:]


@contextlib.contextmanager
def _closed_network() -> Iterator[ClosedNetwork]:
    """A network without a way out; removed at the end."""
    if sys.platform != "linux":
        raise NotRun("in a closed network a container can be reached from Linux alone")
    network = ClosedNetwork()
    try:
        yield network
    finally:
        network.remove()
