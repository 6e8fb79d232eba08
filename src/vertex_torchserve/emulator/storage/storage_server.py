"""gcp-storage-emulator on a loopback port, its buckets in a folder."""

import errno
import json
import logging
import socket
import threading
import zlib
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gcp_storage_emulator.exceptions import BadRequest, Conflict, NotFound
from gcp_storage_emulator.server import RequestHandler

from vertex_torchserve.emulator.storage.downloads import FileResponse
from vertex_torchserve.emulator.storage.kept_storage import KeptStorage, PreconditionFailedError
from vertex_torchserve.emulator.storage.request_body import BodyRequest
from vertex_torchserve.emulator.storage.routes import answer_to

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0
# A full disk, a quota, a limit of a file's size.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class _Handler(RequestHandler):  # type: ignore[misc]
    # Connections are kept, and a client that sends nothing is dropped after this time.
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Headers and body are two writes: the second would wait for the client to acknowledge the first.
    disable_nagle_algorithm = True

    # The library closes the connection without an answer when a request can't be read or its name is refused.
    def _answer(self) -> None:
        try:
            request = BodyRequest(self, self.headers.get("X-HTTP-Method-Override") or self.command)
            response = self._response(request)
            for _ in request.body.pieces():
                pass  # what nobody wanted: the next request comes after it
            response.close()
        except (BadRequest, Conflict) as error:
            self._refuse(400, str(error))
        except PreconditionFailedError as error:
            self._refuse(412, str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client has gone
        except OSError as error:
            _LOG.exception("%s %s failed", self.command, self.path)
            # Google's clients ask again after a 500 or a 503, which would not empty a full disk.
            is_full = error.errno in _NO_ROOM
            self._refuse(507 if is_full else 500, f"The object can't be kept: {error.strerror or error}.")
        except (LookupError, NameError, ValueError, TypeError, AttributeError, zlib.error):
            # Each a request that lacks something, or has it in a form that the library doesn't expect.
            _LOG.warning("%s %s can't be read", self.command, self.path, exc_info=True)
            self._refuse(
                400, "The request can't be read: a parameter, or a part of the body, is missing or wrong."
            )

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer  # noqa: N815 (http.server's names)

    def _response(self, request: BodyRequest) -> FileResponse:
        response = FileResponse(self)
        answer = answer_to(request)
        if answer is None:
            response.status = HTTPStatus.NOT_IMPLEMENTED
            return response
        try:
            answer(request, response, self.storage)
        except NotFound:
            response.status = HTTPStatus.NOT_FOUND
        return response

    def _refuse(self, status: int, message: str) -> None:
        # Some of the body may not have been read.
        self.close_connection = True
        body = json.dumps({"error": {"code": status, "message": message}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    # Parallel downloads open many connections at once; the default queue of 5 makes them wait a second.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._connections: dict[socket.socket, threading.Thread] = {}
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="storage", daemon=True
        )
        self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self._connections.pop(request, None)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End all connections; nothing is written any more when this returns."""
        super().server_close()
        for connection, thread in list(self._connections.items()):
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class StorageServer:
    """The storage emulator; it answers from when this object is made until `stop`.

    The server is made here and not by gcp-storage-emulator's `create_server`, which binds the port in its
    thread: a port in use would hang the start, and which port was taken for `0` could not be found out.

    Args:
        folder: Where the buckets lie.
        address: Host and port; port 0 takes a free one.

    Raises:
        InputError: When the folder is not one of ours.
        OSError: When the port can't be had.
    """

    def __init__(self, folder: Path, address: tuple[str, int]) -> None:
        storage = KeptStorage(folder)
        self._server = _Server(address, partial(_Handler, storage))
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="storage-emulator",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, the value of STORAGE_EMULATOR_HOST."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """Stop answering; the buckets stay on disk."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
