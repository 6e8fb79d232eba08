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


@pytest.mark.parametrize(
    ("method", "path", "answered", "body"),
    [
        ("GET", "/v1/models", 200, '{"models":["model"]}'),
        ("GET", "/v1/models/model", 200, '{"name":"model","ready":true}'),
        ("GET", "/v1/models/other", 404, '{"error":"there is no model of this name; served: model"}'),
        ("POST", "/v1/models/model", 405, '{"error":"POST is not accepted here, only GET"}'),
        (
            "GET",
            "/v1/models/model:predict",
            405,
            '{"error":"GET is not accepted here, only POST, PUT, OPTIONS"}',
        ),
    ],
)
def test_kserves_first_protocol_tells_models_and_their_state(
    server: JvmServer, method: str, path: str, answered: int, body: str
) -> None:
    assert fetch(f"http://127.0.0.1:{server.http}{path}", method=method) == (answered, f"{body}\n")


def test_kserves_first_protocol_predicts(server: JvmServer) -> None:
    url = f"http://127.0.0.1:{server.http}/v1/models/model:predict"
    assert fetch(url, method="POST", body=b'{"id": 8, "sleep": 0}') == (200, "8")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2"),
        ("GET", "/v2/health/live"),
        ("GET", "/v2/health/ready"),
        ("GET", "/v2/models/model"),
        ("GET", "/v2/models/model/ready"),
        ("POST", "/v2/models/model/infer"),
        ("OPTIONS", "/v2/models/model/infer"),
    ],
)
def test_the_protocol_of_tensors_is_not_served(server: JvmServer, method: str, path: str) -> None:
    answer = fetch(f"http://127.0.0.1:{server.http}{path}", method=method, body=b'{"inputs": []}')
    assert answer is not None
    assert (answer[0], answer[1][:59]) == (
        404,
        '{"error":"the open inference protocol (v2) is not served; s',
    )


def test_a_prediction_is_answered(server: JvmServer) -> None:
    url = f"http://127.0.0.1:{server.http}/predictions/model"
    assert fetch(url, method="POST", body=b'{"id": 7, "sleep": 0}') == (200, "7")
