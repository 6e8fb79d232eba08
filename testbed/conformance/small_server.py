"""A small server that keeps Vertex AI's contract, with the standard library alone; it runs in containers too.

Its model answers each instance with itself after 10 ms.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_BYTES = (10 << 20) + (64 << 10)
Reply = tuple[int, Any]


class Refused(Exception):  # noqa: N818 (an answer)
    """A request that gets an error."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class SmallServer:
    """What is answered; a fault is a subclass that does one thing differently."""

    host = "0.0.0.0"  # noqa: S104 (as the contract asks)
    content_type = "application/json"

    def __init__(self) -> None:
        self.port = int(os.environ["AIP_HTTP_PORT"])
        self.health_route = os.environ["AIP_HEALTH_ROUTE"]
        self.predict_route = os.environ["AIP_PREDICT_ROUTE"]

    def before_listening(self) -> None:
        """Nothing to load."""

    def health(self) -> Reply:
        return 200, {}

    def get_predict(self) -> Reply:
        raise Refused(405, "use POST")

    def elsewhere(self) -> Reply:
        raise Refused(404, "no such route")

    def predict(self, head: Message, read: Callable[[], bytes]) -> Reply:
        body = self.read(read)
        return 200, {"predictions": self.model(self.instances(self.parsed(head, body)))}

    def read(self, read: Callable[[], bytes]) -> bytes:
        body = read()
        if len(body) > MOST_BYTES:
            raise Refused(413, "too large")
        return body

    def parsed(self, head: Message, body: bytes) -> Any:
        if head.get_content_type() != "application/json" and "Content-Type" in head:
            raise Refused(415, "not JSON")
        try:
            return json.loads(body)
        except ValueError as error:
            raise Refused(400, f"malformed: {error}") from error

    def instances(self, content: Any) -> list[Any]:
        if not isinstance(content, dict) or not isinstance(content.get("instances"), list):
            raise Refused(400, "instances is no list")
        instances: list[Any] = content["instances"]
        return instances

    def model(self, instances: list[Any]) -> list[Any]:
        time.sleep(0.01 * len(instances))
        return instances

    def error(self, status: int, reason: str) -> Reply:
        return status, {"error": reason}

    def answer(self, method: str, path: str, head: Message, read: Callable[[], bytes]) -> Reply:
        try:
            if path == self.health_route and method == "GET":
                return self.health()
            if path == self.predict_route:
                return self.predict(head, read) if method == "POST" else self.get_predict()
            return self.elsewhere()
        except Refused as refused:
            return self.error(refused.status, str(refused))

    def on_sigterm(self, server: ThreadingHTTPServer) -> None:
        """No more connections; `serve` then waits for those that there are."""
        threading.Thread(target=server.shutdown).start()


def serve(small: SmallServer) -> None:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            def read() -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            try:
                status, content = small.answer(method, self.path, self.headers, read)
            except ConnectionError:
                return
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", small.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = False  # server_close waits for their answers

        def handle_error(self, *_: Any) -> None:
            pass  # a client that went away

    small.before_listening()
    with Server((small.host, small.port), Handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: small.on_sigterm(server))
        server.serve_forever(poll_interval=0.05)
