"""A real Cloud Storage emulator on a free port, and Google's own client to fill and inspect it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage


@dataclass(frozen=True)
class StorageEmulator:
    """A running emulator and one bucket in it.

    Attributes:
        url: What `STORAGE_EMULATOR_HOST` is to be set to.
        bucket: The bucket's name.
        root: Where a disk-backed emulator keeps its objects, as files by bucket and key; None in memory.
    """

    url: str
    bucket: str
    root: Path | None = None

    def put(self, key: str, data: bytes | str = b"") -> str:
        """Store an object and return its gs:// path."""
        self._bucket().blob(key).upload_from_string(data)
        return f"gs://{self.bucket}/{key}"

    def get(self, key: str) -> bytes:
        content: bytes = self._bucket().blob(key).download_as_bytes()
        return content

    def delete(self, key: str) -> None:
        self._bucket().blob(key).delete()

    def keys(self) -> list[str]:
        return [blob.name for blob in self._bucket().list_blobs()]

    def _bucket(self) -> Any:
        client = storage.Client(
            project="test",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.url},
        )
        return client.bucket(self.bucket)

    def create_bucket(self) -> None:
        self._bucket().create()


@contextmanager
def running_emulator(root: Path | None = None) -> Iterator[Any]:
    """The emulator's server object, started on a port of its own choice.

    Args:
        root: Keep the objects in files there; in memory when None.
    """
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=root is None, data_dir=str(root) if root else None)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def address(server: Any) -> str:
    """Where a started server listens; it has no public name for the port the system gave it."""
    host, port = server._api._httpd.server_address[:2]
    return f"http://{host}:{port}"
