"""A stand-in of Google's storage service: real HTTP, answers of the JSON API, failures a test asks for."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.integration.gcs.objects import CHECK_BYTES, CHECK_CRC32C

Reply = tuple[int, bytes]


class Request:
    """One request as the server saw it."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        url = urlsplit(target)
        self.method = method
        self.path = unquote(url.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.headers = headers
        self.body = body

    @property
    def is_media(self) -> bool:
        return self.query.get("alt") == "media"


class Service:
    """A stand-in of Google's storage service: one function answers, every request is kept."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def media(self) -> list[Request]:
        return [request for request in self.requests if request.is_media]


@contextmanager
def running(answer: Callable[[Request], Reply], monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, dict(self.headers), body)
            service.requests.append(request)
            status, content = service.answer(request)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name is the server's

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def described(key: str, data: bytes = CHECK_BYTES, crc32c: str = CHECK_CRC32C, **more: Any) -> dict[str, Any]:
    return {"name": key, "size": str(len(data)), "crc32c": crc32c, "generation": "7", **more}


def listing(*items: dict[str, Any]) -> Reply:
    return 200, json.dumps({"items": items}).encode()


def refusal(status: int, message: str) -> Reply:
    """An error as Google's JSON API words it."""
    return status, json.dumps({"error": {"code": status, "message": message, "errors": []}}).encode()


def serving(item: dict[str, Any], data: bytes = CHECK_BYTES) -> Callable[[Request], Reply]:
    """A service with one object, which honours ranges."""

    def answer(request: Request) -> Reply:
        if not request.is_media:
            return listing(item)
        first, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
        return 206, data[int(first) : int(last) + 1]

    return answer
