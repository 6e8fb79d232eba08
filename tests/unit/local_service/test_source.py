"""What counts as a change of a model that is served here."""

import os
from pathlib import Path

import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from vertex_torchserve.local_service.source import Source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A model folder, and its handler in another one."""
    handler = tmp_path / "code" / "handler.py"
    for file, text in ((handler, ECHO_HANDLER), (tmp_path / "model" / "labels" / "names.txt", "one\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return Source(tmp_path / "model", f"{handler}:handle")


def test_packaging_reading_and_linking_are_no_change(source: Source, tmp_path: Path) -> None:
    state = source.state()
    source.archive(tmp_path / "archive")
    (source.path / "labels" / "names.txt").read_text()
    os.link(source.path / "labels" / "names.txt", tmp_path / "linked")
    (source.path / "__pycache__").mkdir()
    (source.path / "__pycache__" / "handler.pyc").write_bytes(b"\0")
    (source.path / ".names.txt.swp").write_text("an editor's own")
    (tmp_path / "code" / "notes.txt").write_text("beside the handler")
    assert source.state() == state


@pytest.mark.parametrize("changed", ["code/handler.py", "model/labels/names.txt", "model/new.txt"])
def test_a_file_that_is_written_is_a_change(source: Source, tmp_path: Path, changed: str) -> None:
    state = source.state()
    (tmp_path / changed).write_text("another text\n")
    assert source.state() != state


def test_a_file_that_goes_is_a_change(source: Source) -> None:
    state = source.state()
    (source.path / "labels" / "names.txt").unlink()
    assert source.state() != state


def test_an_archive_that_is_replaced_is_a_change(tmp_path: Path) -> None:
    source = Source(write_archive(tmp_path / "served"))
    state = source.state()
    assert len(state) == 1
    write_archive(tmp_path / "new", "def handle(data, context):\n    return data\n").replace(source.path)
    assert source.state() != state
