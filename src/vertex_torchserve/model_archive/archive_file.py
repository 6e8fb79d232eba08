"""Write a .mar: beside its place, from files that must not change meanwhile; same input, same bytes."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.model_archive.members import Members
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.unfinished import remove_abandoned, written_beside

# One date for all members, so that the same inputs give the same bytes: zip's earliest.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_COPY_BYTES = 8 * 1024 * 1024

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
) -> str:
    """Write the archive; one that is there stays until the new one is complete.

    Args:
        mar_path: The file; the folders above it are made.
        manifest: The manifest's text.
        members: Archive name -> source file.
        versions: What the files were when they were checked.
        progress: Called with (bytes written, bytes in all) while it runs.

    Returns:
        The archive's SHA-256, in hex.

    Raises:
        InputError: When a file changed since it was checked, or can't be read; when the archive can't be
            written.
    """
    folder = mar_path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, ".*.mar.*.part")
        with written_beside(mar_path) as part:
            sha256 = _write(part, manifest, members, versions, progress)
    except OSError as error:
        raise InputError(
            Problem(
                f"can't write {mar_path}: {error.strerror or error}",
                "choose a folder that can be written and has enough free space, then try again",
            )
        ) from error
    return sha256


def _write(part: Path, manifest: str, members: Members, versions: Versions, progress: Progress | None) -> str:
    total = sum(versions[source].size for source in members.values())
    done = 0
    with part.open("w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_zip_info(MANIFEST_NAME), manifest)
            for name in sorted(members):
                size = versions[members[name]].size
                _store(archive, name, members[name], size)
                done += size
                if progress:
                    progress(done, total)
        for source in members.values():
            if _version(source) != versions[source]:
                raise _changed(source)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(archive: zipfile.ZipFile, name: str, source: Path, size: int) -> None:
    info = _zip_info(name)
    info.file_size = size  # tells zipfile whether the entry needs ZIP64
    left = size
    with archive.open(info, "w") as writer:
        for block in _blocks(source):
            left -= len(block)
            if left < 0:
                break
            writer.write(block)
    if left:
        raise _changed(source)


def _blocks(source: Path) -> Iterator[bytes]:
    """The content of a file; an error of reading is told apart from those of writing."""
    try:
        with source.open("rb") as reader:
            while block := reader.read(_COPY_BYTES):
                yield block
    except OSError as error:
        raise _unreadable(source, error) from error


def _version(source: Path) -> _Version:
    try:
        found = source.stat()
    except OSError as error:
        raise _unreadable(source, error) from error
    return _Version(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


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
