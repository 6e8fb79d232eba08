"""From the disk to a real storage emulator."""

from pathlib import Path

import pytest

from tests.integration.gcs.objects import CHECK_BYTES, CHECK_CRC32C, folder, noise
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import GcsPath, download_file, upload_file


def test_an_upload_is_checked_and_not_repeated(storage: StorageEmulator, tmp_path: Path) -> None:
    local = tmp_path / "model.mar"
    local.write_bytes(CHECK_BYTES)
    target = folder(storage, "archives/model.mar")
    done: list[int] = []

    first = upload_file(local, target, progress=done.append)
    again = upload_file(local, target, progress=done.append)
    local.write_bytes(b"changed")
    changed = upload_file(local, target)

    assert (first.size, first.crc32c, first.name) == (9, CHECK_CRC32C, "model.mar")
    assert again == first
    assert sum(done) == 18
    assert changed.generation > first.generation
    assert storage.get("archives/model.mar") == b"changed"
    assert storage.keys() == ["archives/model.mar"]


def test_a_large_upload_arrives_whole_and_reports(storage: StorageEmulator, tmp_path: Path) -> None:
    data = noise((33 << 20) + 5)  # one chunk, and a little of the next
    local = tmp_path / "model.mar"
    local.write_bytes(data)
    done: list[int] = []
    result = upload_file(local, folder(storage, "m/model.mar"), progress=done.append)
    assert storage.get("m/model.mar") == data
    assert result.size == sum(done) == (33 << 20) + 5
    download_file(folder(storage, "m/model.mar"), tmp_path / "back.mar")
    assert (tmp_path / "back.mar").read_bytes() == data


def test_an_empty_file_goes_up_and_comes_back(storage: StorageEmulator, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert upload_file(tmp_path / "empty", folder(storage, "empty")).crc32c == "AAAAAA=="
    download_file(folder(storage, "empty"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b""


def test_an_upload_of_nothing_or_to_nowhere(storage: StorageEmulator, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.mar is not a file"):
        upload_file(tmp_path / "absent.mar", folder(storage, "a.mar"))
    (tmp_path / "a.mar").touch()
    with pytest.raises(InputError, match="is a bucket"):
        upload_file(tmp_path / "a.mar", GcsPath(storage.bucket))
    assert storage.keys() == []
