"""What tests of every kind share: a real storage emulator."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage_emulator import StorageEmulator, address, running_emulator

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[Any]:
    with running_emulator() as server:
        yield server


@pytest.fixture
def storage(emulator_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageEmulator]:
    """An emulator with an empty bucket of the test's own, and the environment that points clients at it."""
    emulator = StorageEmulator(address(emulator_server), f"bucket-{next(_numbers)}")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    emulator.create_bucket()
    yield emulator
    emulator_server.wipe()


@pytest.fixture
def disk_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageEmulator]:
    """The same with its objects in files, which a test can damage behind the emulator's back."""
    root = tmp_path / "emulator"
    with running_emulator(root) as server:
        emulator = StorageEmulator(address(server), "disk-bucket", root / ".cloudstorage")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
        emulator.create_bucket()
        yield emulator
