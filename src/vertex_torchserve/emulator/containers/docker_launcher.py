"""Starts a container of the registered image for each model, with Docker's engine on this machine."""

import secrets
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from vertex_torchserve import docker
from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.containers.docker_container import SupervisedContainer
from vertex_torchserve.emulator.containers.docker_queries import gateway, image_id
from vertex_torchserve.emulator.relay import Relay
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_emulated
from vertex_torchserve.errors import InputError, Problem

_LABEL = "vertex-torchserve-emulator"
# Removes what carries a label when its standard input ends: at `stop`, or when the emulator dies, however it
# dies.
_REMOVER = (
    'cat > /dev/null; ids=$("$0" ps --all --quiet --filter "label=$1"); '
    '[ -z "$ids" ] || "$0" rm --force --volumes $ids > /dev/null'
)


class DockerLauncher:
    """Starts containers; none of them outlives this process.

    Args:
        storage_url: The storage emulator's, on loopback.

    Raises:
        DockerError: When there is no Docker engine.
        InputError: When the engine's containers can't reach this machine.
    """

    def __init__(self, storage_url: str) -> None:
        docker.engine_version()
        with ExitStack() as cleanup:
            listener = _listener(gateway())
            cleanup.callback(listener.close)
            storage = urlsplit(storage_url)
            relay = Relay(listener, (str(storage.hostname), int(storage.port or 0)))
            relay.start()
            cleanup.callback(relay.stop)
            host, port = listener.getsockname()
            self._storage_url = f"http://{host}:{port}"
            self._label = f"{_LABEL}={secrets.token_hex(8)}"
            self._remover = subprocess.Popen(
                ["sh", "-c", _REMOVER, docker.client(), self._label],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            self._cleanup = cleanup.pop_all()

    def refuse_unusable(self, spec: Json, artifact_copy: str) -> None:  # noqa: ARG002 (any will do)
        """Refuse what isn't run here: probes by gRPC, and of other hosts."""
        fields = [
            f"containerSpec.{name}.{part}"
            for name in ("startupProbe", "healthProbe", "livenessProbe")
            for part in ("grpc", "httpGet.host", "tcpSocket.host")
            if _has(spec.get(name, {}), part)
        ]
        if fields:
            raise not_emulated(", ".join(fields))

    def copy_image(self, image: str) -> str:
        """The digest of an image; it is pulled when the engine doesn't have it."""
        try:
            return image_id(image)
        except docker.DockerError as error:
            raise RpcError(
                "FAILED_PRECONDITION", f"The image {image!r} can't be had: {error.message}"
            ) from None

    def launch(self, container: Container, log_path: Path) -> SupervisedContainer:
        """Start one."""
        environment = {**container.environment, "STORAGE_EMULATOR_HOST": self._storage_url}
        # No accelerator is handed on, and a server that is told of one looks for it.
        environment.pop("AIP_ACCELERATOR_TYPE", None)
        options: tuple[str, ...] = ("--label", self._label)
        if container.shared_memory_mb:
            options += ("--shm-size", f"{container.shared_memory_mb}m")
        return SupervisedContainer(replace(container, environment=environment), options, log_path)

    def stop(self) -> None:
        """Remove what is left of the containers."""
        assert self._remover.stdin is not None  # noqa: S101 (it is a pipe)
        self._remover.stdin.close()
        self._remover.wait()
        self._cleanup.close()


def _listener(host: str) -> socket.socket:
    """Where containers find the storage emulator, which itself listens on loopback alone."""
    try:
        return socket.create_server((host, 0))
    except OSError as error:
        raise InputError(
            Problem(
                f"the Docker engine's network {host!r} is not this machine's: {error.strerror}",
                "use an engine that runs on this machine itself, or leave --containers out",
            )
        ) from None


def _has(probe: Json, path: str) -> bool:
    kind, _, field = path.partition(".")
    return kind in probe and (not field or field in probe[kind])
