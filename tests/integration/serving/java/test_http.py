"""What the server makes of paths, methods and connections, right ones and wrong ones."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.jvm_server import JvmServer, model_config
from tests.integration.serving.java.http_client import Client, raw
from tests.integration.serving.java.marking_handler import MARKING_HANDLER


@pytest.fixture(scope="module")
def server() -> Iterator[JvmServer]:
    """One worker that takes one request at a time."""
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        work = Path(folder)
        archive = write_archive(work / "store", MARKING_HANDLER, config=model_config())
        with JvmServer(work / "run", archive, environment={"MARKS": folder}) as running:
            running.wait_healthy()
            yield running


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/predictions/other", 404, "Model not found: other"),
        ("POST", "/predictions/model/2.0", 404, "Model version: 2.0 does not exist for model: model"),
        ("GET", "/metrics", 404, "Requested resource is not found, please refer to API document."),
        ("GET", "/predictions/model", 405, "GET is not accepted here, only POST, PUT, OPTIONS"),
        ("DELETE", "/models/model/invoke", 405, "DELETE is not accepted here, only POST, PUT, OPTIONS"),
        ("GET", "/model/predict", 405, "GET is not accepted here, only POST, PUT, OPTIONS"),
        ("POST", "/ping", 405, "POST is not accepted here, only GET"),
        ("GET", "/", 405, "Requested method is not allowed, please refer to API document."),
    ],
)
def test_torchserves_errors_are_json_as_vertex_ai_asks(
    client: Client, method: str, path: str, status: int, message: str
) -> None:
    client.connection.request(method, path)
    answered, said, headers = client.answer()
    assert (answered, said) == (status, {"error": message})
    assert headers["content-type"] == "application/json"
    assert len(headers["x-request-id"]) == 36


def test_bytes_that_are_no_http_get_400(server: JvmServer) -> None:
    answer = raw(server, b"POST /predictions/model HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"error":"Invalid HTTP message."}\n')


def test_an_expectation_that_is_unknown_gets_417(client: Client) -> None:
    client.connection.request("POST", "/predictions/model", b"{}", {"Expect": "a miracle"})
    assert client.answer()[:2] == (417, {"error": "Expect is not 100-continue"})


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_the_connection_closes_when_the_client_asks_for_it(server: JvmServer, version: str) -> None:
    close = "Host: a\r\nConnection: close\r\n" if version == "HTTP/1.1" else ""
    answer = raw(server, f"GET /ping {version}\r\n{close}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer.lower()


def test_a_connection_is_kept_otherwise(client: Client) -> None:
    for number in (50, 51):
        assert client.post(number).answer()[:2] == (200, number)
        assert client.connection.sock is not None


def test_pipelined_requests_are_answered_in_their_order(work: Path) -> None:
    """Two workers would answer the fast one first."""
    archive = write_archive(work / "store", MARKING_HANDLER, config=model_config(workers=2))
    with JvmServer(work / "run", archive, environment={"MARKS": str(work)}) as server:
        server.wait_healthy()
        release = threading.Timer(1, (work / "released").touch)
        release.start()
        answer = raw(
            server,
            b"".join(
                b"POST /predictions/model HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n%s\r\n%s" % (len(body), close, body)
                for body, close in [
                    (b'{"id": 61, "until": "released"}', b""),
                    (b'{"id": 62}', b""),
                    (b'{"id": 63}', b"Connection: close\r\n"),
                ]
            ),
        )
        release.join()
        assert [part[:2] for part in answer.split(b"\r\n\r\n")[1:]] == [b"61", b"62", b"63"]
        assert answer.count(b"HTTP/1.1 200 ") == 3


def test_requests_with_large_bodies_follow_one_another_on_a_connection(client: Client) -> None:
    """However much of a body one read brings: the next request's head begins behind it."""
    for number in range(100, 120):
        body = f'{{"id": {number}, "rest": "{"x" * 10_000 * (number % 10)}"}}'.encode()
        client.connection.request("POST", "/predictions/model", body, {"Content-Type": "application/json"})
        assert client.answer()[:2] == (200, number)
