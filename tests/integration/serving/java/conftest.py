"""What the tests of the launcher share."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.jvm_server import JvmServer
from tests.integration.serving.java.http_client import Client


@pytest.fixture
def work() -> Iterator[Path]:
    """An empty folder with a short path: a worker's socket lies in it, and Unix allows it 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        yield Path(folder)


@pytest.fixture
def client(server: JvmServer) -> Iterator[Client]:
    """A client of the server of the test's module."""
    new = Client(server)
    with contextlib.closing(new.connection):
        yield new
