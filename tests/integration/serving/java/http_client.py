"""A client that sends prediction requests to a JVM, and one that sends bytes."""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any

from testbed.deadlines import ANSWER_SECONDS
from testbed.jvm_server import JvmServer


class Client:
    """One connection."""

    def __init__(self, server: JvmServer) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=ANSWER_SECONDS)

    def post(self, request: int, **more: Any) -> "Client":
        """Send a prediction request, and don't wait for its answer."""
        body = json.dumps({"id": request, **more})
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", "/predictions/model", body, headers)
        return self

    def answer(self) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON body and headers, by their names in lower case."""
        with self.connection.getresponse() as response:
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, json.loads(response.read()), headers


def raw(server: JvmServer, *sent: bytes) -> bytes:
    """Everything the server answers to these bytes, sent part by part, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.http), timeout=ANSWER_SECONDS) as connection:
        for part in sent:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))
