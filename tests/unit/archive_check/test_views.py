"""The same archive reads the same wherever it lies, and what can't be read says so."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from testbed.archive_faults import MODULE, STATE_DICT, safetensors
from testbed.archives import archive
from testbed.foreign_archives import FOREIGN_ARCHIVES
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.archive_check.opening import open_archive
from vertex_torchserve.archive_check.reading.torch_file import Kind, TorchFile
from vertex_torchserve.errors import InputError

_FILES = {"w.safetensors": safetensors(cut=1), "b.bin": MODULE, "sub/a.txt": b"text"}
_FOUND = [("safetensors-whole", "w.safetensors"), ("pickle-holds-tensors-only", "b.bin")]


def deflated(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return made.getvalue()


def tarred(content: bytes, path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as old, tarfile.open(path, "w:gz") as new:
        for name in old.namelist():
            info = tarfile.TarInfo(f"model/{name}")
            info.size = len(old.read(name))
            new.addfile(info, io.BytesIO(old.read(name)))


@pytest.mark.parametrize("kind", ["stored", "deflated", "tar", "folder"])
def test_each_kind_finds_the_same(kind: str, tmp_path: Path) -> None:
    content = archive(files=_FILES)
    path = tmp_path / {"tar": "a.tar.gz", "folder": "a"}.get(kind, "a.mar")
    if kind == "folder":
        zipfile.ZipFile(io.BytesIO(content)).extractall(path)  # noqa: S202
    elif kind == "tar":
        tarred(content, path)
    else:
        path.write_bytes(content if kind == "stored" else deflated(content))
    report = check_path(str(path))
    assert [(each.rule, each.where) for each in report.findings] == _FOUND
    view = open_archive(str(path)).view
    assert view.sizes["sub/a.txt"] == 4
    with view.open("sub/a.txt") as file:
        assert file.seek(-2, os.SEEK_END) == 2
        assert file.read() == b"xt"


def test_a_tar_with_a_link_and_one_that_is_cut_off(tmp_path: Path) -> None:
    whole = FOREIGN_ARCHIVES["0.12.0, tgz"](tmp_path)
    whole.write_bytes(whole.read_bytes()[:-40])
    assert [each.rule for each in check_path(str(whole)).findings] == ["archive-readable"]
    path = tmp_path / "linked.tgz"
    tarred(archive(), path)
    with tarfile.open(path, "w:gz") as made:
        link = tarfile.TarInfo("model/a")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    rules = [each.rule for each in check_path(str(path)).findings]
    assert rules == ["members-unpack", "manifest-readable"]


@pytest.mark.parametrize("name", ["nowhere.mar", "pipe"])
def test_what_can_not_be_read_is_bad_input(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"a model folder is accepted"):
        check_path(str(tmp_path / name))


def test_a_member_that_is_damaged_is_told_and_the_others_are_checked(tmp_path: Path) -> None:
    content = bytearray(
        archive(files={"w.safetensors": safetensors(), "b.bin": STATE_DICT, "requirements.txt": "x"})
    )
    start = content.index(b"PK\x03\x04", content.index(b"handler.py") + 20)
    content[start : start + 4] = b"XXXX"
    path = tmp_path / "a.mar"
    path.write_bytes(content)
    found = [(each.rule, each.where) for each in check_path(str(path)).findings]
    assert ("safetensors-whole", "w.safetensors") in found
    assert ("requirements-named", "requirements.txt") in found


def test_a_large_compressed_state_dict_is_known_by_its_beginning() -> None:
    file = TorchFile.read(io.BytesIO(MODULE), can_seek=False)
    assert file.kind is Kind.PICKLE
    assert file.global_names() == {"torch.nn.modules.linear.Linear"}


def test_what_torch_writes_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.zeros(2, dtype=torch.float64)}, tmp_path / "new.pt")
    torch.save({"w": torch.zeros(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), tmp_path / "module.pt")
    tensor = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2"}
    for can_seek in (True, False):
        read = {}
        for name in ("new", "old", "module"):
            with (tmp_path / f"{name}.pt").open("rb") as file:
                read[name] = TorchFile.read(file, can_seek)
        assert {file.kind for file in read.values()} == {Kind.PICKLE}
        assert read["new"].global_names() == tensor | {"torch.DoubleStorage"}
        assert read["old"].global_names() == tensor | {"torch.FloatStorage"}
        assert "torch.nn.modules.linear.Linear" in read["module"].global_names()


def test_an_artifact_folder_is_its_archive(tmp_path: Path) -> None:
    (tmp_path / "model.mar").write_bytes(archive(files={"w.safetensors": safetensors(cut=1)}))
    assert [each.where for each in check_path(str(tmp_path)).findings] == ["w.safetensors"]


def test_names_that_a_terminal_would_obey_are_written_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mar"
    path.write_bytes(archive(files={"\x1b[2J.safetensors": b""}))
    assert check_path(str(path)).findings[0].where == "\\x1b[2J.safetensors"
