"""From a real storage emulator to the disk, and what it holds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.gcs.objects import CHECK_BYTES, CHECK_CRC32C, folder, noise
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import (
    GcsPath,
    download_file,
    download_folder,
    find_object,
    is_object,
    list_folder,
    upload_file,
)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_folder_arrives_with_its_sub_folders(storage: StorageEmulator, tmp_path: Path) -> None:
    files = {
        "config.json": b"{}",
        "1_Pooling/config.json": b'{"pooling": true}',
        "a/b/c/deep.bin": b"\x00\xff" * 1000,
        "empty.txt": b"",
        "name with spaces.txt": b"spaces",
        "größe/模型 ✓.bin": b"unicode",
        "percent%2Fsign#and?mark.txt": b"url characters",
    }
    for name, data in files.items():
        storage.put(f"model/{name}", data)

    paths = download_folder(folder(storage), tmp_path / "new" / "model")

    assert tree(tmp_path) == {f"new/model/{name}": data for name, data in files.items()}
    assert paths == sorted(tmp_path / "new" / "model" / name for name in files)


def test_many_small_files_in_parallel(storage: StorageEmulator, tmp_path: Path) -> None:
    for number in range(130):
        storage.put(f"model/{number:03}.txt", f"number {number}")

    paths = download_folder(folder(storage), tmp_path)

    assert [path.name for path in paths] == [f"{number:03}.txt" for number in range(130)]
    assert (tmp_path / "077.txt").read_text() == "number 77"
    assert len(tree(tmp_path)) == 130


def test_a_large_file_arrives_in_ranges(storage: StorageEmulator, tmp_path: Path) -> None:
    # Not a multiple of any range: 80 MiB and 12,345 bytes.
    data = noise((80 << 20) + 12_345)
    storage.put("model/weights.bin", data)
    storage.put("model/small.txt", "small")
    done: list[int] = []

    download_folder(folder(storage), tmp_path / "out", progress=done.append)

    assert (tmp_path / "out" / "weights.bin").read_bytes() == data
    assert sum(done) == (80 << 20) + 12_345 + 5
    assert len(done) >= 6  # more than one report for the large file


@pytest.mark.parametrize("size", [(16 << 20) - 1, 16 << 20, (16 << 20) + 1])
def test_sizes_around_the_end_of_a_range(storage: StorageEmulator, tmp_path: Path, size: int) -> None:
    data = noise(size)
    storage.put("model/weights.bin", data)
    download_folder(folder(storage), tmp_path)
    assert (tmp_path / "weights.bin").read_bytes() == data


def test_a_neighbour_with_the_same_prefix_is_not_taken(storage: StorageEmulator, tmp_path: Path) -> None:
    for key in ("model/a.txt", "model-2/b.txt", "model.txt", "modelx", "other/model/c.txt"):
        storage.put(key, key)
    download_folder(folder(storage), tmp_path)
    assert tree(tmp_path) == {"a.txt": b"model/a.txt"}


def test_a_whole_bucket_can_be_the_folder(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("a.txt", "a")
    storage.put("b/c.txt", "c")
    download_folder(GcsPath(storage.bucket), tmp_path)
    assert tree(tmp_path) == {"a.txt": b"a", "b/c.txt": b"c"}


def test_placeholders_of_folders_are_left_out(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/")
    storage.put("model/sub/")
    storage.put("model/a.txt", "a")
    assert [item.name for item in list_folder(folder(storage))] == ["a.txt"]
    download_folder(folder(storage), tmp_path)
    assert tree(tmp_path) == {"a.txt": b"a"}


def test_ignored_files_and_skipped_folders_stay_in_the_bucket(
    storage: StorageEmulator, tmp_path: Path
) -> None:
    for name in (
        "config.json",
        "optimizer.pt",
        "train.log",
        "checkpoint-500/model.bin",
        "runs/1/events",
        "archives/model.mar",
        "sub/archives/kept.txt",
    ):
        storage.put(f"model/{name}", name)
    download_folder(
        folder(storage),
        tmp_path,
        ignore=["optimizer.pt", "*.log", "checkpoint-*", "runs/*"],
        skip_folders=["archives"],
    )
    assert sorted(tree(tmp_path)) == ["config.json", "sub/archives/kept.txt"]


def test_two_folders_at_once(storage: StorageEmulator, tmp_path: Path) -> None:
    for name in ("one", "two"):
        for number in range(30):
            storage.put(f"{name}/{number}", f"{name} {number}")
    with ThreadPoolExecutor(2) as pool:
        results = list(
            pool.map(lambda name: download_folder(folder(storage, name), tmp_path / name), ["one", "two"])
        )
    assert [len(paths) for paths in results] == [30, 30]
    assert (tmp_path / "two" / "29").read_text() == "two 29"


def test_files_that_are_there_already_are_left_alone(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/a.txt", "new")
    storage.put("model/b.txt", "new")
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "kept.txt").write_text("mine too")
    with pytest.raises(InputError, match=r"a\.txt exists already"):
        download_folder(folder(storage), tmp_path)
    assert tree(tmp_path) == {"a.txt": b"mine", "kept.txt": b"mine too"}


@pytest.mark.parametrize("key", ["model", "model/sub"])
def test_a_folder_that_is_not_there(storage: StorageEmulator, tmp_path: Path, key: str) -> None:
    storage.put("model-2/a.txt", "a")
    with pytest.raises(InputError, match=f"there is nothing beneath gs://{storage.bucket}/{key}/"):
        download_folder(folder(storage, key), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_named_as_a_folder(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/weights.bin", "w")
    with pytest.raises(InputError, match="is an object, not a folder") as failure:
        download_folder(folder(storage, "model/weights.bin"), tmp_path / "out")
    assert f"gs://{storage.bucket}/model." in failure.value.fix


def test_a_folder_whose_every_file_is_ignored(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/a.log", "a")
    with pytest.raises(InputError, match="all of its 1 objects are ignored"):
        download_folder(folder(storage), tmp_path / "out", ignore=["*.log"])


def test_a_bucket_that_is_not_there(storage: StorageEmulator, tmp_path: Path) -> None:
    absent = GcsPath("no-such-bucket", "model")
    local = tmp_path / "a.txt"
    local.write_bytes(b"a")
    for attempt in (
        lambda: download_folder(absent, tmp_path / "out"),
        lambda: download_file(absent, tmp_path / "out"),
        lambda: is_object(absent),
        lambda: upload_file(local, absent),
    ):
        with pytest.raises(InputError, match="there is no bucket 'no-such-bucket'"):
            attempt()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_an_object_that_is_a_folder_too_is_refused(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/a", "file")
    storage.put("model/a/b", "beneath it")
    with pytest.raises(InputError, match="a file can't be a folder"):
        download_folder(folder(storage), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_corrupt_object_leaves_nothing_behind(disk_storage: StorageEmulator, tmp_path: Path) -> None:
    assert disk_storage.root
    disk_storage.put("model/a.txt", "fine")
    disk_storage.put("model/sub/weights.bin", b"x" * 100_000)
    disk_storage.put("model/sub/short.bin", b"y" * 1_000)
    stored = disk_storage.root / disk_storage.bucket / "model" / "sub"
    (stored / "weights.bin").write_bytes(b"x" * 99_999 + b"y")
    (stored / "short.bin").write_bytes(b"y" * 999)
    destination = tmp_path / "out"
    destination.mkdir()
    (destination / "mine.txt").write_text("mine")

    with pytest.raises(InputError) as failure:
        download_folder(folder(disk_storage), destination)

    assert failure.value.exit_code == 2
    assert [problem.message.partition(" arrived")[0] for problem in failure.value.problems] == [
        "'gs://disk-bucket/model/sub/short.bin'",
        "'gs://disk-bucket/model/sub/weights.bin'",
    ]
    assert tree(destination) == {"mine.txt": b"mine"}
    assert [path.name for path in destination.iterdir()] == ["mine.txt"]


def test_one_file(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("extra/index_to_name.json", "{}")
    storage.put("extra/index_to_name.json.bak", "no")
    target = tmp_path / "new" / "index_to_name.json"
    assert download_file(folder(storage, "extra/index_to_name.json"), target) == target
    assert tree(tmp_path) == {"new/index_to_name.json": b"{}"}


def test_a_file_that_is_not_there(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("extra/handler.py.bak", "no")
    with pytest.raises(InputError, match="there is no such object"):
        download_file(folder(storage, "extra/handler.py"), tmp_path / "new" / "handler.py")
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_is_a_file(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("model/a.txt", "a")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"(File exists|Not a directory)"):
        download_folder(folder(storage), tmp_path / "file" / "sub")
    assert tree(tmp_path) == {"file": b"mine"}


def test_objects_and_folders_are_told_apart(storage: StorageEmulator) -> None:
    storage.put("tokenizer/vocab.txt", CHECK_BYTES)
    assert is_object(folder(storage, "tokenizer/vocab.txt"))
    assert not is_object(folder(storage, "tokenizer"))
    assert not is_object(folder(storage, "tokenizer/vocab"))
    assert not is_object(GcsPath(storage.bucket))
    found = find_object(folder(storage, "tokenizer/vocab.txt"))
    assert found
    assert (found.name, found.size, found.crc32c) == ("vocab.txt", 9, CHECK_CRC32C)
    assert str(found) == f"gs://{storage.bucket}/tokenizer/vocab.txt"


def test_a_listing_is_relative_and_sorted(storage: StorageEmulator) -> None:
    for key in ("model/b", "model/a/c", "model/a.txt"):
        storage.put(key, CHECK_BYTES)
    listed = list_folder(folder(storage))
    assert [(item.name, item.size, item.crc32c) for item in listed] == [
        ("a.txt", 9, CHECK_CRC32C),
        ("a/c", 9, CHECK_CRC32C),
        ("b", 9, CHECK_CRC32C),
    ]
    assert list_folder(folder(storage, "nothing")) == []
