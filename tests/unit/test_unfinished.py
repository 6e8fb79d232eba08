"""A file that is written beside its place, and what a failure leaves of it."""

from pathlib import Path

import pytest

from vertex_torchserve.unfinished import written_beside


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_text("old")
    with written_beside(file) as part:
        part.write_text("new")
        assert file.read_text() == "old"
        assert part.parent == tmp_path
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_text("old")
    with pytest.raises(OSError, match="no room"), written_beside(file) as part:
        part.write_text("ne")
        raise OSError("no room")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
