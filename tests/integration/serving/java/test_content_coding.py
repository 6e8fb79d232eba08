"""A body that is compressed is refused before it is read."""

import gzip
import json
import socket

import pytest

from testbed.deadlines import ANSWER_SECONDS
from testbed.jvm_server import JvmServer
from tests.integration.serving.java.http_client import raw

POST = (
    b"POST /predictions/model HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
)
REASON = "the body has a Content-Encoding, such as gzip; send it without"


@pytest.mark.parametrize(
    "coding",
    ["gzip", "GZIP", "x-gzip", "deflate", "br", "gzip, gzip", "identity\r\nContent-Encoding: gzip"],
)
def test_a_coded_body_is_415(measuring_server: JvmServer, coding: str) -> None:
    bomb = gzip.compress(bytes(100_000_000))
    head = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(bomb))
    said, _, body = raw(measuring_server, POST + head + bomb).partition(b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 415 Unsupported Media Type\r\n")
    assert b"\r\naccept-encoding: identity\r\n" in said.lower()
    assert json.loads(body) == {"error": REASON}


def test_it_is_told_before_it_is_sent(measuring_server: JvmServer) -> None:
    head = b"Content-Encoding: gzip\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    # The connection stays open for the body, which never comes.
    with socket.create_connection(("127.0.0.1", measuring_server.http), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(POST + head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")


def test_identity_is_no_coding(measuring_server: JvmServer) -> None:
    answer = raw(measuring_server, POST + b"Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 200 ")
