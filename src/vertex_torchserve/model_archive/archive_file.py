"""Write a .mar: beside its place, from files that must not change meanwhile; same input, same bytes."""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.model_archive.members import Members
from vertex_torchserve.model_archive.summed_file import BLOCK_BYTES, SummedFile
from vertex_torchserve.serving.archive.crc32 import crc32_between, reader_of
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving_plan.sums import Sums
from vertex_torchserve.unfinished import remove_abandoned, written_beside

# One date for all members, so that the same inputs give the same bytes: zip's earliest.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)

Progress = Callable[[int, int], None]


class _Version(NamedTuple):
    """What tells one content of a file from another."""

    device: int
    inode: int
    size: int
    modified_ns: int


Versions = dict[Path, _Version]


def versions_of(members: Members) -> Versions:
    """What the files are now.

    Raises:
        InputError: When one can't be looked at.
    """
    return {source: _version(source) for source in members.values()}


def write_archive(
    mar_path: Path, manifest: str, members: Members, versions: Versions, progress: Progress | None
) -> Sums:
    """Write the archive; one that is there stays until the new one is complete.

    Args:
        mar_path: The file; the folders above it are made.
        manifest: The manifest's text.
        members: Archive name -> source file.
        versions: What the files were when they were checked.
        progress: Called with (bytes written, bytes in all) while it runs.

    Returns:
        The archive's sums.

    Raises:
        InputError: When a file changed since it was checked, or can't be read; when the archive can't be
            written.
    """
    folder = mar_path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, ".*.mar.*.part")
        with written_beside(mar_path) as part:
            sums = _write(part, manifest, members, versions, progress)
    except OSError as error:
        raise InputError(
            Problem(
                f"can't write {mar_path}: {error.strerror or error}",
                "choose a folder that can be written and has enough free space, then try again",
            )
        ) from error
    return sums


def _write(
    part: Path, manifest: str, members: Members, versions: Versions, progress: Progress | None
) -> Sums:
    total = sum(versions[source].size for source in members.values())
    done = 0
    # Not "wb": what an empty file is cut to before it is written, ext4 puts on the disk when it is closed.
    with part.open("r+b", buffering=0) as raw, SummedFile(raw) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            text = manifest.encode()
            _store(archive, file, MANIFEST_NAME, len(text), zlib.crc32(text), [text])
            for name in sorted(members):
                size = versions[members[name]].size
                _store_file(archive, file, name, members[name], size)
                done += size
                if progress:
                    progress(done, total)
        sums = file.sums()
        for source in members.values():
            if _version(source) != versions[source]:
                raise _changed(source)
    return sums


def _store_file(archive: zipfile.ZipFile, file: SummedFile, name: str, source: Path, size: int) -> None:
    with contextlib.ExitStack() as stack:
        with _reading(source):
            reader = stack.enter_context(source.open("rb", buffering=0))
            checksum = crc32_between(0, size, reader_of(reader.fileno()))
        _store(archive, file, name, size, checksum, _blocks(reader, source, size))


def _store(
    archive: zipfile.ZipFile, file: SummedFile, name: str, size: int, checksum: int, blocks: Iterable[bytes]
) -> None:
    """Add a member. Its checksum is known, so that its header needs no change after its body is written."""
    info = _zip_info(name)
    info.file_size = info.compress_size = size
    info.CRC = checksum
    info.header_offset = file.tell()
    file.write(info.FileHeader(zip64=size * 1.05 > zipfile.ZIP64_LIMIT))
    for block in blocks:
        file.write(block)
    # What `ZipFile.mkdir` does for a member without a body; the directory is written from it.
    archive.filelist.append(info)
    archive.NameToInfo[info.filename] = info
    archive.start_dir = file.tell()


def _blocks(reader: io.FileIO, source: Path, size: int) -> Iterator[bytes]:
    """All that the file holds, which must be as much as it held before."""
    left = size
    while True:
        with _reading(source):
            block = reader.read(BLOCK_BYTES)
        left -= len(block)
        if left < 0 or (left and not block):
            raise _changed(source)
        if not block:
            return
        yield block


def _version(source: Path) -> _Version:
    with _reading(source):
        found = source.stat()
    return _Version(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[None]:
    """Tell errors of reading from those of writing."""
    try:
        yield
    except EOFError:
        raise _changed(source) from None
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError) -> InputError:
    problem = f"can't read {source}: {error.strerror or error}"
    return InputError(Problem(problem, "make it readable, and package when nobody writes to its folder"))


def _changed(source: Path) -> InputError:
    problem = f"{source} changed while it was packaged"
    return InputError(Problem(problem, "package again when nobody writes to its folder"))


def _zip_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _ZIP_EPOCH)
    info.create_system = 3  # Unix, whatever machine packs it
    info.external_attr = 0o100644 << 16
    return info
