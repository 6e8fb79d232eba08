"""A request reaches the server that it was meant for, or none."""

import socket
from pathlib import Path

import pytest

from testbed.deadlines import MOMENT_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.emulator.containers.container import Container, Place
from vertex_torchserve.emulator.containers.model_server import ModelServer
from vertex_torchserve.emulator.containers.served_process import ServedProcess
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.serving.local_server import ServingProcess


class Replaced:
    """Serves at an address, and is gone when that is asked for again: another listens there by then."""

    def __init__(self, base_url: str) -> None:
        self._base_urls = [base_url]

    def refuse_unusable(self, spec: object, artifact_copy: str) -> None:
        """Nothing is refused."""

    def copy_image(self, image: str) -> str:
        return image

    def launch(self, container: Container, log_path: Path) -> "Replaced":
        return self

    def base_url(self) -> str:
        if not self._base_urls:
            raise RpcError("UNAVAILABLE", "it has ended")
        return self._base_urls.pop()

    def become_ready(self, timeout_seconds: float) -> None:
        """It is."""

    def stop(self) -> None:
        """It has ended."""


def test_what_listens_at_the_address_of_one_that_is_gone_is_sent_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as another:
        launcher = Replaced(f"http://127.0.0.1:{another.getsockname()[1]}")
        container = Container.of({"imageUri": "image"}, "", Place("1", "2", "3", {}))
        server = ModelServer(container, launcher, tmp_path / "log")
        server.become_ready()
        with pytest.raises(RpcError, match="it has ended"):
            server.predictions([1])
        connection, _ = another.accept()
        with connection:
            connection.settimeout(MOMENT_SECONDS)
            assert connection.recv(1) == b""
        server.stop()


def test_a_process_that_has_ended_is_asked_no_more(tmp_path: Path) -> None:
    process = ServingProcess({"AIP_STORAGE_URI": "gs://no bucket"}, log_path=tmp_path / "log")
    served = ServedProcess(process, "/ping", tmp_path / "log")
    wait_until(lambda: process.exit_code() is not None, MOMENT_SECONDS, "a server without a model ends")
    with pytest.raises(RpcError, match="The model server is gone: it ended with code 2; its log: /"):
        served.base_url()
    served.stop()
