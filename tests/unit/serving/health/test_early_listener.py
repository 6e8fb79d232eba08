"""503 to everything until the port changes hands."""

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from testbed.processes import wait_until
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.health.early_listener import EarlyListener
from vertex_torchserve.serving.ports import free_ports


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def listener(port: int) -> Iterator[EarlyListener]:
    with EarlyListener("127.0.0.1", port, "the archive is being fetched") as listener:
        yield listener


def ask(port: int, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        return connection.getresponse()
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_request_is_answered_503(listener: EarlyListener, port: int, method: str) -> None:
    response = ask(port, method, "/predictions/model", b"{}")
    assert response.status == 503
    assert response.getheader("Retry-After") == "5"
    assert response.getheader("Content-Type") == "application/json"
    assert response.getheader("Connection") == "close"
    assert json.loads(response.read()) == {"error": "not ready: the archive is being fetched"}


def test_the_health_route_says_why(listener: EarlyListener, port: int) -> None:
    listener.reason = "the archive is being unpacked"
    response = ask(port, "GET", "/ping")
    assert response.status == 503
    assert json.loads(response.read()) == {"status": "Unhealthy", "reason": "the archive is being unpacked"}
    head = ask(port, "HEAD", "/ping")
    assert (head.status, head.read()) == (503, b"")


def test_a_large_body_does_not_cost_the_client_its_answer(listener: EarlyListener, port: int) -> None:
    assert ask(port, "POST", "/predictions/model", b"x" * 10_000_000).status == 503


def test_a_silent_connection_holds_up_nobody(listener: EarlyListener, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        assert ask(port, "GET", "/ping").status == 503


def test_a_probe_that_hangs_up_leaves_no_traceback(
    listener: EarlyListener, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:
            # Closes with a reset, in the middle of a request.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            probe.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
    assert ask(port, "GET", "/ping").status == 503  # taken after the probes
    wait_until(lambda: not _handler_threads(), 10, "every connection was dealt with")
    assert capfd.readouterr().err == ""


def test_nobody_listens_once_it_is_closed(listener: EarlyListener, port: int) -> None:
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        ask(port, "GET", "/ping")


def test_the_port_can_be_taken_while_it_listens(listener: EarlyListener, port: int) -> None:
    with socket.socket() as successor:
        successor.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        successor.bind(("127.0.0.1", port))
        successor.listen()
        listener.close()
        successor.settimeout(10)
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            successor.accept()[0].close()


def test_connections_the_kernel_has_accepted_are_answered_at_the_end(port: int) -> None:
    listener = EarlyListener("127.0.0.1", port, "")
    listener._server.shutdown()  # accepts nothing more, still listens
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        listener.close()
        assert client.recv(100).startswith(b"HTTP/1.0 503 ")


def test_a_port_that_is_taken_is_an_error(port: int) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(InputError, match=f"can't listen on 127.0.0.1:{port}: Address already in use"):
            EarlyListener("127.0.0.1", port, "")


def _handler_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "process_request" in thread.name]
