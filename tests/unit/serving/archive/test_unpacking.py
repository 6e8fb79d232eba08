"""An archive on the disk becomes a folder of checked files."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import ModelFolder, unpack_archive

MIB = 1 << 20


def noise(size: int) -> bytes:
    """Bytes no two stretches of which are alike, and that don't shrink."""
    return hashlib.shake_128(b"weights").digest(size)


def unpacked(mar: Path) -> ModelFolder:
    return unpack_archive(LocalArchive(mar), mar.parent / "work" / "model")


def refused(mar: Path) -> str:
    with pytest.raises(InputError) as caught:
        unpacked(mar)
    assert caught.value.exit_code == 2
    return caught.value.message


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_file_arrives(tmp_path: Path, compression: int) -> None:
    # The first spans two of the ranges of 16 MiB; zeros are inflated a thousandfold.
    files = {
        "model.safetensors": noise(17 * MIB + 5),
        "zeros.bin": bytes(40 * MIB),
        "empty.txt": b"",
        "1_Pooling/config.json": b"{}",
        "größe/模型.txt": b"unicode",
    }
    mar = write_archive(tmp_path, modelVersion="2.0")
    with zipfile.ZipFile(mar, "a", compression) as archive:
        archive.mkdir("an empty folder")
        for name, content in files.items():
            archive.writestr(name, content)

    model = unpacked(mar)

    found = tree(model.path)
    manifest = found.pop("MAR-INF/MANIFEST.json")
    assert found == {**files, "handler.py": ECHO_HANDLER.encode()}
    assert (model.manifest.model_name, model.manifest.model_version) == ("model", "2.0")
    assert model.origin == str(mar)
    assert model.unpacked_bytes == 57 * MIB + 5 + 2 + 7 + len(ECHO_HANDLER) + len(manifest)
    assert mar.is_file()


def test_sizes_in_zip64_fields_and_behind_the_data(tmp_path: Path) -> None:
    """Written by a program that can't seek: torch-model-archiver never does, and Java can't read it."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(write_archive(tmp_path)) as source, zipfile.ZipFile(pipe, "w") as target:
        for name in source.namelist():
            with target.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(source.read(name))
    (tmp_path / "model.mar").write_bytes(b"a shell script before it" + pipe.getvalue())
    assert (unpacked(tmp_path / "model.mar").path / "handler.py").read_text() == ECHO_HANDLER


@pytest.mark.parametrize(
    ("compression", "found"),
    [
        (zipfile.ZIP_STORED, "is corrupt: weights.bin is not the 100000 bytes with CRC-32"),
        (zipfile.ZIP_DEFLATED, "is corrupt: weights.bin"),
    ],
)
def test_a_corrupt_member(tmp_path: Path, compression: int, found: str) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a", compression) as archive:
        archive.writestr("weights.bin", noise(100_000))
        at = archive.getinfo("weights.bin").header_offset + 50_000
    damaged = bytearray(mar.read_bytes())
    damaged[at] ^= 0x10
    mar.write_bytes(damaged)
    assert found in refused(mar)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_larger_than_it_says(tmp_path: Path, compression: int) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a", compression) as archive:
        archive.writestr("bomb", bytes(50 * MIB))
        archive.getinfo("bomb").file_size = 1000
    assert "bomb is not the 1000 bytes" in refused(mar)
    assert (tmp_path / "work" / "model" / "bomb").stat().st_size <= 1000


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("one", "content")
        archive.writestr("two", "content")
        archive.getinfo("two").header_offset = archive.getinfo("one").header_offset
    assert "two shares bytes with another member" in refused(mar)


def test_a_central_directory_that_points_elsewhere(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("one", "content")
        archive.getinfo("one").header_offset += 7
    assert "one is not where the central directory says" in refused(mar)


def test_more_than_the_disk_has(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("huge", "content")
        archive.getinfo("huge").file_size = 1 << 50  # a petabyte
    message = refused(mar)
    assert f"{mar} needs 1,125,899,906,8" in message
    assert " bytes unpacked; " in message
    assert message.endswith(" free")
    assert tree(tmp_path / "work") == {}
