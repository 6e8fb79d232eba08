"""Unpack an archive into the folder that TorchServe serves it from, and check every byte.

TorchServe would unpack it at each start without checking it. It also loads an unpacked folder, through a link
and without a copy.
"""

import contextlib
import errno
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.archive_bytes import ArchiveBytes, bytes_of, write_whole
from vertex_torchserve.serving.archive.manifest import Manifest, read_index
from vertex_torchserve.serving.archive.source import ArchiveSource, as_file

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_BLOCK_BYTES = 4096  # what a file's size is rounded up to on most disks
# APPNOTE.TXT 4.3.7: signature, 22 bytes that the central directory has too, lengths of name and extra field.
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
# What is inflated at a time, and the most that may come of it before it is written.
_DEFLATED_BYTES, _INFLATED_BYTES = 256 << 10, 4 << 20


@dataclass(frozen=True)
class ModelFolder:
    """An archive unpacked, every file checked.

    Attributes:
        path: The folder.
        origin: Where the archive lies, for messages.
        manifest: The archive's.
        unpacked_bytes: The size of its files.
    """

    path: Path
    origin: str
    manifest: Manifest
    unpacked_bytes: int


def unpack_archive(source: ArchiveSource, folder: Path) -> ModelFolder:
    """Check an archive and unpack it into a folder; it is read once, and never written itself.

    Args:
        source: The archive.
        folder: Must not exist yet. When unpacking fails, what was written stays in it.

    Raises:
        InputError: When it is no archive that can be served, a member is not what the central directory
            says, or the disk can't take it.
        StorageError: When Cloud Storage goes on failing.
    """
    with as_file(source) as file:
        index = read_index(file, source.origin)
    needed = sum(-(-member.file_size // _BLOCK_BYTES) * _BLOCK_BYTES for member in index.members)
    with writing(source.origin, folder, needed):
        if needed > shutil.disk_usage(folder).free:
            raise InputError(_no_space(source.origin, needed, folder))
        with bytes_of(source, index.members[0].header_offset, index.directory_start) as archive:
            for member in index.members:
                _unpack_member(archive, member, folder / member.filename)
    return ModelFolder(folder, source.origin, index.manifest, index.unpacked_bytes)


@contextlib.contextmanager
def writing(origin: str, folder: Path, needed: int | None = None) -> Iterator[None]:
    """Make a folder, and tell what the disk refuses in the block.

    Args:
        origin: What is unpacked into it, for messages.
        folder: Must not exist yet.
        needed: How many bytes it takes, where that is known.

    Raises:
        InputError: The disk is full, or can't be written to.
    """
    try:
        folder.mkdir(parents=True)
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise InputError(_no_space(origin, needed, folder)) from error
        raise InputError(
            Problem(
                f"{origin} can't be unpacked into {folder}: {error.strerror or error}",
                "set TMPDIR to a folder that this user can write to",
            )
        ) from error


def _unpack_member(archive: ArchiveBytes, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not archive.skip_to(member.header_offset):
        raise InputError(_corrupt(archive, member, "shares bytes with another member"))
    header = _taken(archive, _LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_SIGNATURE):
        raise InputError(_corrupt(archive, member, "is not where the central directory says"))
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    _taken(archive, name_length + extra_length)
    with target.open("xb", buffering=0) as file:
        if member.compress_type == zipfile.ZIP_DEFLATED:
            found = _inflate(archive, member, file.fileno())
        elif member.compress_size == member.file_size:
            found = archive.copy(member.file_size, file.fileno())
        else:
            found = (member.compress_size, 0)
    if found != (member.file_size, member.CRC):
        raise InputError(
            _corrupt(archive, member, f"is not the {member.file_size} bytes with CRC-32 {member.CRC:08x}")
        )


def _taken(archive: ArchiveBytes, count: int) -> bytes:
    return b"".join(archive.take(count))


def _inflate(archive: ArchiveBytes, member: zipfile.ZipInfo, target: int) -> tuple[int, int]:
    """Write what a member was deflated from; returns its size, or a larger one, and its CRC-32."""
    size = checksum = 0
    try:
        for block in _inflated(archive.take(member.compress_size)):
            begin, size = size, size + len(block)
            if size > member.file_size:
                break
            checksum = zlib.crc32(block, checksum)
            write_whole(target, block, begin)
    except zlib.error as error:
        raise InputError(_corrupt(archive, member, f"can't be inflated ({error})")) from error
    return size, checksum


def _inflated(stored: Iterator[memoryview]) -> Iterator[bytes | memoryview]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in stored:
        for start in range(0, len(piece), _DEFLATED_BYTES):
            block: bytes | memoryview = piece[start : start + _DEFLATED_BYTES]
            while block and not inflater.eof:
                yield inflater.decompress(block, _INFLATED_BYTES)
                block = inflater.unconsumed_tail
    yield inflater.flush()


def _corrupt(archive: ArchiveBytes, member: zipfile.ZipInfo, what: str) -> Problem:
    return Problem(
        f"{archive.origin} is corrupt: {member.filename} {what}",
        "copy or upload the archive again, or package the model again with `vertex-torchserve package`",
    )


def _no_space(origin: str, needed: int | None, folder: Path) -> Problem:
    free = shutil.disk_usage(folder).free
    size = "more than there is" if needed is None else f"{needed:,} bytes"
    return Problem(
        f"{origin} needs {size} unpacked; {folder} has {free:,} free",
        "give the container a larger disk (a larger tmpfs, where /tmp is one), or set TMPDIR to a folder on "
        "a larger disk",
    )
