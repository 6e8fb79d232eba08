"""What nobody may do from outside, and what still works."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.jvm_server import SLEEPING_HANDLER, JvmServer, fetch, model_config


@pytest.fixture(scope="module")
def server() -> Iterator[JvmServer]:
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        work = Path(folder)
        archive = write_archive(work / "store", SLEEPING_HANDLER, config=model_config())
        with JvmServer(work / "run", archive) as running:
            running.wait_healthy()
            yield running


def status(port: int, path: str, method: str = "GET") -> int:
    answer = fetch(f"http://127.0.0.1:{port}{path}", method=method)
    assert answer is not None
    return answer[0]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/workflows", "/workflows?url=flow.war", "/workflows/flow"])
def test_workflows_are_refused_on_the_management_port(server: JvmServer, path: str, method: str) -> None:
    assert status(server.management, path, method) == 405


def test_the_inference_port_registers_nothing(server: JvmServer) -> None:
    assert status(server.http, "/workflows?url=flow.war", "POST") == 404
    assert status(server.http, "/models?url=model.mar", "POST") in {404, 405}
    assert status(server.http, "/models/model", "DELETE") in {404, 405}


def test_model_registration_is_refused_on_the_management_port(server: JvmServer) -> None:
    assert status(server.management, "/models?url=model.mar", "POST") == 405
    assert status(server.management, "/models/model", "DELETE") == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_ping_takes_only_get(server: JvmServer, method: str) -> None:
    assert status(server.http, "/ping", method) == 405


def test_grpc_is_not_started(server: JvmServer) -> None:
    for port in server.grpc:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_the_management_api_still_describes_the_model(server: JvmServer) -> None:
    assert status(server.management, "/models/model") == 200


def test_a_prediction_is_answered(server: JvmServer) -> None:
    url = f"http://127.0.0.1:{server.http}/predictions/model"
    assert fetch(url, method="POST", body=b'{"id": 7, "sleep": 0}') == (200, "7")
