"""Clients that send or read slowly, send nothing, or are too many: their connections end."""

import http.client
import json
import select
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS
from testbed.jvm_server import JvmServer, model_config
from testbed.processes import wait_until
from tests.integration.serving.java.http_client import raw

READ_SECONDS = 2
IDLE_SECONDS = 10
BYTES_PER_SECOND = 900_000
CONNECTIONS = 20
LIMITS = {
    "vts.read.timeout.seconds": str(READ_SECONDS),
    "vts.idle.timeout.seconds": str(IDLE_SECONDS),
    "vts.slowest.bytes.per.second": str(BYTES_PER_SECOND),
    "vts.connections": str(CONNECTIONS),
}
# Answers {"sleep": s, "size": n} after s seconds with a text of n characters, any other body with its length.
HANDLER = """\
import time


def handle(data, context):
    if data is None:
        return None
    (body,) = (row["body"] for row in data)
    if not isinstance(body, dict):
        return [str(len(body))]
    time.sleep(body["sleep"])
    return ["x" * body["size"]]
"""
POST = b"POST /predictions/model HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW_HEAD = (
    "the head of the request has not arrived within 2 s, the longest it may take; "
    "send it faster, or raise VTS_READ_TIMEOUT_SECONDS"
)
SLOW_BODY = (
    "the body has not arrived within 2 s and a second for each 900000 bytes, the longest it may take; "
    "send it faster, or raise VTS_READ_TIMEOUT_SECONDS"
)


@pytest.fixture(scope="module")
def server() -> Iterator[JvmServer]:
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        archive = write_archive(Path(folder, "store"), HANDLER, config=model_config())
        with JvmServer(Path(folder, "run"), archive, properties=LIMITS) as running:
            running.wait_healthy()
            yield running


def connect(server: JvmServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.http), timeout=ANSWER_SECONDS)


def rest(connection: socket.socket) -> bytes:
    """Everything that still comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def sleeping(seconds: float, size: int = 1) -> bytes:
    """A request that is answered after so long."""
    body = json.dumps({"sleep": seconds, "size": size}).encode()
    return POST + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def predicts(server: JvmServer) -> bool:
    """Whether a small request on a connection of its own is answered with a prediction."""
    sent = POST + b"Content-Type: text/plain\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"
    return answers(raw(server, sent)) == [(200, b"1")]


def answers(sent: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer in these bytes."""
    found = []
    while sent:
        head, _, sent = sent.partition(b"\r\n\r\n")
        (length,) = (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        found.append((int(head.split()[1]), sent[:length]))
        sent = sent[length:]
    return found


@pytest.mark.parametrize(
    ("sent", "dripped", "message"),
    [
        pytest.param(POST, b"", SLOW_HEAD, id="half-a-head"),
        pytest.param(b"\r\n", b"", SLOW_HEAD, id="an-empty-line"),
        pytest.param(POST + b"a: ", b"b", SLOW_HEAD, id="a-head-byte-by-byte"),
        pytest.param(POST + b"Content-Length: 9999\r\n\r\n{", b"", SLOW_BODY, id="half-a-body"),
        pytest.param(POST + b"Content-Length: 9999\r\n\r\n{", b" ", SLOW_BODY, id="a-body-byte-by-byte"),
        pytest.param(CHUNKED + b"\r\n", b"1\r\n \r\n", SLOW_BODY, id="chunk-by-chunk"),
        pytest.param(CHUNKED + b"\r\n0\r\n", b"", SLOW_BODY, id="half-a-trailer"),
        pytest.param(
            POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"", SLOW_BODY, id="only-a-promise"
        ),
    ],
)  # fmt: skip
def test_a_request_that_does_not_arrive_is_408(
    server: JvmServer, sent: bytes, dripped: bytes, message: str
) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        while dripped and not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(dripped)
        answer = rest(connection).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert [(status, json.loads(body)) for status, body in answers(answer)] == [(408, {"error": message})]


def test_connections_without_a_request_are_closed_much_later(server: JvmServer) -> None:
    with connect(server) as unused, connect(server) as answered:
        answered.sendall(PING)
        assert answered.recv(65536).startswith(b"HTTP/1.1 200 ")
        # Longer than a request may take to arrive.
        assert select.select([unused, answered], [], [], READ_SECONDS * 2)[0] == []
        answered.sendall(PING)
        assert answered.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert rest(unused) == b""
        assert rest(answered) == b""


def test_who_waits_for_an_answer_is_not_idle(server: JvmServer) -> None:
    half = POST + b"Content-Type: text/plain\r\nConnection: close\r\nContent-Length: 3\r\n\r\na"
    with connect(server) as connection:
        # Half of the next request is there long before the answer to this one.
        connection.sendall(sleeping(READ_SECONDS * 2) + half)
        first = connection.recv(65536)
        assert answers(first) == [(200, b"x")]
        connection.sendall(b"bc")
        assert answers(rest(connection)) == [(200, b"3")]


def test_a_body_may_take_as_long_as_its_bytes_need(server: JvmServer) -> None:
    size = 4 * BYTES_PER_SECOND
    head = POST + b"Content-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    with connect(server) as connection:
        connection.sendall(head + b"x" * (size - 1))
        assert select.select([connection], [], [], READ_SECONDS * 2)[0] == []
        connection.sendall(b"x")
        assert answers(rest(connection)) == [(200, b"%d" % size)]


def test_who_does_not_take_the_answer_is_left(server: JvmServer) -> None:
    size = 6_000_000
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(("127.0.0.1", server.http))
        port = connection.getsockname()[1]
        connection.sendall(sleeping(0, size))

        def left() -> bool:
            lines = [line for line in server.log().splitlines() if f"/127.0.0.1:{port} " in line]
            return any('"POST /predictions/model HTTP/1.1" - ' in line for line in lines)

        wait_until(left, MOMENT_SECONDS, "the server has closed the connection")


RESET = struct.pack("ii", 1, 0)  # closing sends a reset, not an end


@pytest.mark.parametrize("resets", [False, True], ids=["closes", "resets"])
def test_who_leaves_in_the_middle_of_a_body_costs_one_line(server: JvmServer, resets: bool) -> None:
    with connect(server) as connection:
        if resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client = f"/127.0.0.1:{connection.getsockname()[1]} "
        before = len(server.log())
        connection.sendall(POST + b"Content-Length: 9999\r\n\r\n{")
        # The answer to this one says that the half of the other has been read.
        assert predicts(server)
    left = f'{client}"POST /predictions/model HTTP/1.1" - '
    wait_until(lambda: left in server.log()[before:], MOMENT_SECONDS, "the access log has its line")
    assert predicts(server)
    assert "Exception" not in server.log()[before:]


def test_of_too_many_connections_only_pings_are_answered(server: JvmServer) -> None:
    healthy = (200, b'{\n  "status": "Healthy"\n}\n')
    wait_until(lambda: predicts(server), MOMENT_SECONDS, "those of other tests are closed")
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(connect(server))

        def refused() -> bool:
            """The server counts a connection a moment after it was accepted."""
            connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=ANSWER_SECONDS)
            with closing(connection):
                connection.request("POST", "/predictions/model", b"abc", {"Content-Type": "text/plain"})
                response = connection.getresponse()
                headers = response.headers["Retry-After"], response.headers["Connection"]
                answer = response.status, json.loads(response.read()), headers
            error = "20 connections are open, the most that may; send this request again later"
            return answer == (503, {"error": error}, ("1", "close"))

        wait_until(refused, IDLE_SECONDS, "a prediction on one more connection is refused")
        ping = raw(server, PING + PING)  # one request a connection
        assert answers(ping) == [healthy]
        assert b"\r\nconnection: close\r\n" in ping.lower()
        # 64 that are kept for pings, 16 more for those from this machine.
        kept = [stack.enter_context(connect(server)) for _ in range(80)]
        with connect(server) as one_more:
            assert one_more.recv(1) == b""
        assert [rest(one) for one in kept] == [b""] * 80  # they have a few seconds
        assert answers(raw(server, PING)) == [healthy]
    wait_until(lambda: predicts(server), MOMENT_SECONDS, "a request is answered again")
