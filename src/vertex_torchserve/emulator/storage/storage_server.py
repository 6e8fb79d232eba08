"""gcp-storage-emulator on a loopback port, its buckets in a folder."""

import threading
from functools import partial
from http.server import HTTPServer
from pathlib import Path

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

_IDLE_SECONDS = 60.0


class _Handler(RequestHandler):  # type: ignore[misc]
    # One thread answers all clients: one that connects and sends nothing is dropped after this time.
    timeout = _IDLE_SECONDS


class _Server(HTTPServer):
    # Parallel downloads open many connections at once; the default queue of 5 makes them wait a second.
    request_queue_size = 128


class StorageServer:
    """The storage emulator; it answers from when this object is made until `stop`.

    The server is made here and not by gcp-storage-emulator's `create_server`, which binds the port in its
    thread: a port in use would hang the start, and which port was taken for `0` could not be found out.

    Args:
        folder: Where the buckets lie.
        address: Host and port; port 0 takes a free one.

    Raises:
        OSError: When the port can't be had.
    """

    def __init__(self, folder: Path, address: tuple[str, int]) -> None:
        storage = Storage(use_memory_fs=False, data_dir=str(folder.absolute()))
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
