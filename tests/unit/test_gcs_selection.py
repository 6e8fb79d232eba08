"""Which objects of a folder are left out."""

import pytest

from vertex_torchserve.gcs.selection import is_ignored


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("optimizer.pt", "optimizer.pt"),
        ("sub/optimizer.pt", "optimizer.pt"),
        ("train.log", "*.log"),
        ("sub/train.log", "*.log"),
        ("checkpoint-500/model.bin", "checkpoint-*"),
        ("old/checkpoint-500/a/model.bin", "checkpoint-*"),
        ("runs/1/events", "runs/*"),
        ("runs/1/events", "runs"),
        ("runs/1/events", "runs/"),
        ("runs/1/events", "runs/1"),
        ("sub/a.bin", "sub/a.bin"),
        ("a1.bin", "a[0-9].bin"),
    ],
)
def test_left_out(name: str, pattern: str) -> None:
    assert is_ignored(name, [pattern], [])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("optimizer.pt.json", "optimizer.pt"),
        ("my-optimizer.pt", "optimizer.pt"),
        ("Train.LOG", "*.log"),
        ("runs.txt", "runs"),
        ("sub/runs2/a", "runs/*"),
        ("sub/1/a", "1/b"),
        ("a.bin", "."),
        ("a.bin", ""),
        ("a.bin", "/"),
    ],
)
def test_kept(name: str, pattern: str) -> None:
    assert not is_ignored(name, [pattern], [])


def test_folders_are_skipped_by_their_exact_path() -> None:
    assert is_ignored("archives/model.mar", [], ["archives"])
    assert is_ignored("a/b/c/d", [], ["/a/b/"])
    assert not is_ignored("sub/archives/model.mar", [], ["archives"])
    assert not is_ignored("archives", [], ["archives"])
    assert not is_ignored("archives-2/a", [], ["archives*", "archives"])
    assert not is_ignored("a", [], ["", "."])
