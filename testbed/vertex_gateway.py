"""A gateway before the emulated Vertex AI that delays or refuses what the emulator would do at once."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from testbed.deadlines import ANSWER_SECONDS

_TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."


class Gateway:
    """Forwards every request to `upstream`, but for what its attributes say.

    Attributes:
        upload_delay_s: When not 0, `models:upload` is answered with an operation that never ends, and is
            forwarded only after that long: what a client sees that gives up waiting. Until then the operation
            is listed as running.
        refusal: When not 0, the HTTP status of every answer.
        asked: Method and path of every request.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.upload_delay_s = 0.0
        self.refusal = 0
        self.url = ""
        self.asked: list[str] = []
        self._late: list[threading.Timer] = []

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.append(f"{method} {path}")
        if self.refusal:
            error = {"code": self.refusal, "status": "PERMISSION_DENIED", "message": "no aiplatform.models"}
            return self.refusal, json.dumps({"error": error}).encode()
        if path.partition("?")[0].endswith("/operations") and any(late.is_alive() for late in self._late):
            running = {"@type": f"{_TYPES}UploadModelOperationMetadata"}
            listed = [{**json.loads(_endless(path)), "metadata": running}]
            return 200, json.dumps({"operations": listed}).encode()
        if "/operations/endless" in path:
            return 200, _endless(path)
        if self.upload_delay_s and "/models:upload" in path:
            late = threading.Timer(self.upload_delay_s, self._upload_late, (method, path, body))
            self._late.append(late)
            late.start()
            return 200, _endless(path)
        response = self._forward(method, path, body)
        return response.status_code, response.content

    def stop(self) -> None:
        for late in self._late:
            late.join()

    def _upload_late(self, method: str, path: str, body: bytes) -> None:
        """Forward, and wait for the upload's end: until then its operation is listed."""
        operation = self._forward(method, path, body).json()
        while "done" not in operation:
            operation = self._forward("GET", f"/v1/{operation['name']}", b"").json()

    def _forward(self, method: str, path: str, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return httpx.request(
            method, self.upstream + path, content=body, headers=headers, timeout=ANSWER_SECONDS
        )


def _endless(path: str) -> bytes:
    location = "/".join(path.split("/")[2:6])
    return json.dumps({"name": f"{location}/models/1/operations/endless"}).encode()


@contextmanager
def running_gateway(upstream: str) -> Iterator[Gateway]:
    gateway = Gateway(upstream)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = gateway.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        gateway.stop()
