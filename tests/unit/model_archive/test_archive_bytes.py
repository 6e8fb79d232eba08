"""The bytes of an archive: those that `zipfile` would write, one member after the other, and their digest."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.model_folders import model_folder, write_handler
from vertex_torchserve.gcs import checksum
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

MIB = 1 << 20


def written_by_zipfile(mar: Path, target: Path) -> bytes:
    """The members of an archive, written anew by the standard library."""
    with zipfile.ZipFile(mar) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, source.read(name))
    return target.read_bytes()


# Less than a block, none at all, whole blocks, and what several threads sum.
@pytest.mark.parametrize("size", [0, 1, MIB, 9 * MIB + 1])
def test_an_archive_is_what_zipfile_writes(tmp_path: Path, size: int) -> None:
    folder = model_folder(tmp_path)
    (folder / "weights é.bin").write_bytes(hashlib.shake_128().digest(size))
    spec = ModelArchiveSpec(folder, handler=str(write_handler(tmp_path)))
    built = build_model_archive(spec, tmp_path / "out")
    content = built.mar_path.read_bytes()
    assert content == written_by_zipfile(built.mar_path, tmp_path / "expected.zip")
    assert built.sha256 == hashlib.sha256(content).hexdigest()
    assert built.crc32c == checksum.of_file(built.mar_path)
    assert built.size_bytes == len(content)
