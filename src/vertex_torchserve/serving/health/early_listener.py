"""Answer 503 on the HTTP port from the first moment until TorchServe listens there.

TorchServe opens its port only when the archive is unpacked and its requirements are installed. Vertex AI
asks for a TCP connection four times, ten seconds apart, and restarts a container that never takes one
(custom container requirements), so this listener takes them before.

Both listen for a moment: the port is bound with SO_REUSEPORT, here and in `WatchedModelServer`, so that
no connection is refused when it changes hands. One that the kernel completes in the microseconds between
the last accept and the close is reset; its answer would have been 503.
"""

import contextlib
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from vertex_torchserve.errors import InputError, Problem

# What a client is told to wait, here and by TorchServe's JVM; most models load within seconds.
RETRY_AFTER_SECONDS = 5
_CLIENT_TIMEOUT_SECONDS = 10
_POLL_SECONDS = 0.05
_READ_BYTES = 64 * 1024


class EarlyListener:
    """Listens from its construction until `close`; `reason` is what `/ping` answers until then.

    Args:
        host: Where to listen; the same as TorchServe's inference address.
        port: The port.
        reason: Why requests aren't answered yet.

    Raises:
        InputError: When the port can't be had.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.reason = reason
        _require_free(host, port)
        self._server = _Server(host, port, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="early-listener", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer every connection that was accepted, then leave the port. Closing twice is fine."""
        self._server.shutdown()
        self._thread.join()
        self._server.leave()

    def __enter__(self) -> "EarlyListener":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    allow_reuse_port = True  # Python 3.11 and newer
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, listener: EarlyListener) -> None:
        self.address_family = _family(host)
        self.listener = listener
        super().__init__((host, port), _NotReady)

    def server_bind(self) -> None:
        # HTTPServer's own asks the network for this machine's name, which may take seconds.
        super(ThreadingHTTPServer, self).server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A probe that hangs up before its answer is no error; of anything else the traceback is printed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def leave(self) -> None:
        """Close the port, then answer what the kernel had accepted: it would be reset with the socket."""
        if self.socket.fileno() < 0:
            return
        self.socket.setblocking(False)
        queued = []
        with self.socket, contextlib.suppress(BlockingIOError):
            while True:
                queued.append(self.get_request())
        for request, address in queued:
            request.setblocking(True)
            self.process_request(request, address)


class _NotReady(BaseHTTPRequestHandler):
    timeout = _CLIENT_TIMEOUT_SECONDS
    server: _Server

    def refuse(self) -> None:
        """503, whatever was asked for; the connection ends with the answer, for TorchServe to take over."""
        self._discard_body()
        reason = self.server.listener.reason
        ping = self.path.split("?", 1)[0] == "/ping"
        body = {"status": "Unhealthy", "reason": reason} if ping else {"error": f"not ready: {reason}"}
        content = json.dumps(body).encode() + b"\n"
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", str(RETRY_AFTER_SECONDS))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = refuse  # noqa: N815

    def version_string(self) -> str:
        """The `Server` header: no versions of Python or its server."""
        return "vertex-torchserve"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Log nothing: probes come several times a minute."""

    def _discard_body(self) -> None:
        """Read the body: closing a connection with unread bytes resets it, and the answer is lost."""
        length = self.headers.get("Content-Length", "")
        left = int(length) if length.isdecimal() else 0
        while left and (chunk := self.rfile.read(min(left, _READ_BYTES))):
            left -= len(chunk)


def _require_free(host: str, port: int) -> None:
    """Refuse a port that is in use: SO_REUSEPORT would let two servers of one user share it unnoticed."""
    try:
        with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InputError(
            Problem(
                f"the server can't listen on {host}:{port}: {error.strerror or error}",
                "end what listens there, or set AIP_HTTP_PORT (VTS_HTTP_PORT) to a free port",
            )
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
