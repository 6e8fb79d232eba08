"""An archive in Cloud Storage becomes a folder of checked files, and is never written itself."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.store import find_archive
from vertex_torchserve.serving.archive.unpacking import unpack_archive
from vertex_torchserve.serving.local_server import ServingProcess
from vertex_torchserve.serving.settings import ServingSettings

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [each for each in threading.enumerate() if each not in before and "archive" in each.name] == []


def settings(storage: StorageEmulator, **environment: str) -> ServingSettings:
    return ServingSettings.from_environment({"AIP_STORAGE_URI": f"gs://{storage.bucket}/v1", **environment})


def noise(size: int) -> bytes:
    """Bytes no two stretches of which are alike, so that a range at a wrong place shows."""
    return hashlib.shake_128(b"weights").digest(size)


def test_a_large_archive_arrives_in_ranges(storage: StorageEmulator, tmp_path: Path) -> None:
    weights = noise(70 * MIB + 12_345)
    mar = write_archive(tmp_path, files={"weights.bin": weights, **{f"{n}.txt": str(n) for n in range(300)}})
    with zipfile.ZipFile(mar, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deflated.bin", weights[: 20 * MIB])
    storage.put("v1/model.mar", mar.read_bytes())
    mar.unlink()

    model = unpack_archive(find_archive(settings(storage)), tmp_path / "model")

    assert (model.path / "weights.bin").read_bytes() == weights
    assert (model.path / "deflated.bin").read_bytes() == weights[: 20 * MIB]
    assert (model.path / "handler.py").read_text() == ECHO_HANDLER
    assert (model.path / "299.txt").read_text() == "299"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 304


def test_the_one_archive_is_found_beside_other_objects(storage: StorageEmulator) -> None:
    for key in ("v1/notes.txt", "v1/old/model.mar", "v1/first.mar", "v1-2/model.mar"):
        storage.put(key, "content")
    assert find_archive(settings(storage)).origin == f"gs://{storage.bucket}/v1/first.mar"
    storage.put("v1/second.mar", "content")
    assert find_archive(settings(storage, MODEL_NAME="second")).origin.endswith("/v1/second.mar")
    with pytest.raises(InputError) as caught:
        find_archive(settings(storage))
    assert caught.value.message == (
        f"gs://{storage.bucket}/v1 must hold one .mar; found: first.mar, notes.txt, old/, second.mar"
    )


def test_an_empty_folder(storage: StorageEmulator) -> None:
    with pytest.raises(InputError, match="there is nothing beneath gs://"):
        find_archive(settings(storage))


def test_an_archive_that_is_gone_when_it_is_read(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("v1/model.mar", write_archive(tmp_path).read_bytes())
    source = find_archive(settings(storage))
    storage.delete("v1/model.mar")
    with pytest.raises(InputError, match="was replaced or deleted while it was being downloaded"):
        unpack_archive(source, tmp_path / "model")


def test_an_archive_that_was_cut_short(disk_storage: StorageEmulator, tmp_path: Path) -> None:
    assert disk_storage.root
    mar = write_archive(tmp_path, files={"weights.bin": noise(3 * MIB)})
    disk_storage.put("v1/model.mar", mar.read_bytes())
    source = find_archive(settings(disk_storage))
    stored = disk_storage.root / disk_storage.bucket / "v1" / "model.mar"
    stored.write_bytes(mar.read_bytes()[: 2 * MIB])
    with pytest.raises(InputError, match=r"gs://disk-bucket/v1/model\.mar"):
        unpack_archive(source, tmp_path / "model")


def test_a_corrupt_member_is_found_before_anything_is_started(
    disk_storage: StorageEmulator, tmp_path: Path
) -> None:
    assert disk_storage.root
    mar = write_archive(tmp_path, files={"weights.bin": noise(3 * MIB)})
    disk_storage.put("v1/model.mar", mar.read_bytes())
    stored = disk_storage.root / disk_storage.bucket / "v1" / "model.mar"
    damaged = bytearray(mar.read_bytes())
    damaged[2 * MIB] ^= 1
    stored.write_bytes(damaged)
    with pytest.raises(InputError, match=r"v1/model\.mar is corrupt: weights\.bin is not the 3145728 bytes"):
        unpack_archive(find_archive(settings(disk_storage)), tmp_path / "model")


def test_it_is_served(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("v1/first.mar", write_archive(tmp_path).read_bytes())
    storage.put("v1/notes.txt", "no archive")
    with ServingProcess({"AIP_STORAGE_URI": f"gs://{storage.bucket}/v1"}) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(
            f"{server.base_url}/predictions/model", json={"instances": [1]}, timeout=ANSWER_SECONDS
        )
        assert answer.json() == {"predictions": [{"echo": 1}]}
        # Neither the buffers of fetching are kept, nor Cloud Storage's client: with them it was 100 MiB.
        assert psutil.Process(server.pid).memory_info().rss < 40 * MIB
