"""What stands in a model's container's place, and how one is started: a process here, or a real container."""

from pathlib import Path
from typing import Protocol

from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.rest.request import Json


class Serving(Protocol):
    """One that has been started."""

    def base_url(self) -> str:
        """Where it answers now.

        Raises:
            RpcError: UNAVAILABLE while it must get no traffic.
        """

    def become_ready(self, timeout_seconds: float) -> None:
        """Wait until it may get traffic.

        Raises:
            ServingError: When it ended, or was not ready in time; the message carries the end of its log.
        """

    def stop(self) -> None:
        """Let it finish what it has, and end it; does nothing the second time."""


class Launcher(Protocol):
    """Starts what serves a model."""

    def refuse_unusable(self, spec: Json, artifact_copy: str) -> None:
        """Refuse, before anything is started, a container that would not run as it is registered.

        Args:
            spec: The model's ModelContainerSpec.
            artifact_copy: The gs:// folder of its artifact, or empty.

        Raises:
            RpcError: UNIMPLEMENTED that names each field.
        """

    def copy_image(self, image: str) -> str:
        """Another name of an image, which stays what the image is now whatever becomes of its own.

        Raises:
            RpcError: FAILED_PRECONDITION when there is no such image.
        """

    def launch(self, container: Container, log_path: Path) -> Serving:
        """Start one; returns at once.

        Args:
            container: Routes and environment.
            log_path: Where its output goes; the folder exists.
        """
