"""What the tests of the launcher share."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.jvm_server import JvmServer, model_config
from tests.integration.serving.java.http_client import Client
from tests.integration.serving.java.measuring_handler import MEASURING_HANDLER


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


@pytest.fixture(scope="session")
def measuring_server() -> Iterator[JvmServer]:
    """One worker that says how long each field is; a body with "smuggled" makes a file `smuggled`."""
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        run = Path(folder, "run")
        archive = write_archive(Path(folder, "store"), MEASURING_HANDLER, config=model_config())
        images = {"max_request_size": "10551296"}  # as in the images
        with JvmServer(run, archive, configuration=images, environment={"MARKS": folder}) as server:
            server.wait_healthy()
            yield server
