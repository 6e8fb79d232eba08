"""What the tests of the launcher share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def work() -> Iterator[Path]:
    """An empty folder with a short path: a worker's socket lies in it, and Unix allows it 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        yield Path(folder)
