"""What the tests of transfers share."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [
        thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("gcs")
    ] == []
