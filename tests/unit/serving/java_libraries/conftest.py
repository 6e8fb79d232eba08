"""The libraries of this machine, which `make setup` makes."""

import os
from pathlib import Path

import pytest

from vertex_torchserve.serving.java_libraries.class_path import MAKE, libraries_folders
from vertex_torchserve.serving.java_libraries.lock import read_lock


@pytest.fixture(scope="session")
def libraries() -> list[Path]:
    """The jars that the server is served with, beside our own."""
    for folder in libraries_folders():
        if folder.is_dir():
            return [folder / name for name in read_lock().digests]
    if os.environ.get("CI") == "true":
        pytest.fail(f"the Java libraries are not made: {MAKE}")
    pytest.skip(f"THE JAVA LIBRARIES ARE NOT MADE AND NOT TESTED: {MAKE}")
