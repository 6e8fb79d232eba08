"""Folders whose files appear all at once, or not at all."""

import errno
import os
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.gcs.all_at_once import staged
from vertex_torchserve.gcs.failures import explained


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_files_move_up_when_the_block_ends_well(tmp_path: Path) -> None:
    destination = tmp_path / "a" / "b"
    with staged(destination) as staging:
        (staging / "sub").mkdir()
        (staging / "sub" / "file").write_text("x")
        assert staging.parent == destination
        assert not (destination / "sub").exists()
    assert names(tmp_path) == ["a", "a/b", "a/b/sub", "a/b/sub/file"]


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt])
def test_nothing_stays_when_it_does_not(tmp_path: Path, interruption: type[BaseException]) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(interruption), staged(tmp_path / "a" / "b") as staging:
        (staging / "file").write_text("x")
        raise interruption
    assert names(tmp_path) == ["mine"]


def test_what_was_moved_already_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "z").write_text("in the way of the folder z")
    with pytest.raises(OSError, match="z"), staged(tmp_path) as staging:
        (staging / "a").write_text("x")
        (staging / "z").mkdir()
        (staging / "z" / "file").write_text("x")
    assert names(tmp_path) == ["z"]


def test_what_somebody_else_put_there_stays(tmp_path: Path) -> None:
    destination = tmp_path / "new"
    with pytest.raises(ValueError, match="late"), staged(destination):
        (destination / "theirs").write_text("theirs")
        raise ValueError("late")
    assert names(tmp_path) == ["new", "new/theirs"]


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "Free some space, or use a folder on a larger disk."),
        (errno.EDQUOT, "Free some space, or use a folder on a larger disk."),
        (errno.EACCES, "Use a folder and a file this user can read and write."),
    ],
)
def test_what_the_disk_says_is_passed_on(number: int, fix: str) -> None:
    with (
        pytest.raises(InputError) as failure,
        explained(GcsPath("bucket", "model"), "roles/storage.objectViewer", Problem("missing", "find it")),
    ):
        raise OSError(number, os.strerror(number), "/models/weights.bin")
    assert failure.value.message == f"/models/weights.bin: {os.strerror(number)}."
    assert failure.value.fix == fix


def test_mistakes_of_ours_are_not_explained_away() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        explained(GcsPath("bucket"), "role", Problem("missing", "find it")),
    ):
        _ = 1 / 0


def test_what_a_killed_download_left_is_cleared_and_a_running_one_is_not(tmp_path: Path) -> None:
    left = tmp_path / ".vts-abandoned.part"
    left.mkdir()
    (left / "file").write_text("x")
    (tmp_path / ".other.part").mkdir()
    with staged(tmp_path) as first:
        with staged(tmp_path) as second:
            (second / "b").write_text("x")
        (first / "a").write_text("x")
    assert names(tmp_path) == [".other.part", "a", "b"]
