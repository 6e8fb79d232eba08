"""Which objects of a folder are left out, beside those that match an ignore pattern."""

from vertex_torchserve.gcs.selection import is_left_out


def test_ignore_patterns_count() -> None:
    assert is_left_out("runs/1/train.log", ["*.log"], [])
    assert not is_left_out("runs/1/model.bin", ["*.log"], [])


def test_folders_are_skipped_by_their_exact_path() -> None:
    assert is_left_out("archives/model.mar", [], ["archives"])
    assert is_left_out("a/b/c/d", [], ["/a/b/"])
    assert not is_left_out("sub/archives/model.mar", [], ["archives"])
    assert not is_left_out("archives", [], ["archives"])
    assert not is_left_out("archives-2/a", [], ["archives*", "archives"])
    assert not is_left_out("a", [], ["", "."])
