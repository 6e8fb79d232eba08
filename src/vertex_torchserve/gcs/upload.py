"""Upload a file, checked, unless the same bytes are there already."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs import checksum
from vertex_torchserve.gcs.client import TRANSFER_TIMEOUT, connect, status_of, transfer_retry
from vertex_torchserve.gcs.failures import StorageError, explained
from vertex_torchserve.gcs.listing import StoredObject, bucket_missing, find_object, stored
from vertex_torchserve.gcs.path import GcsPath

_WRITER_ROLE = "roles/storage.objectUser"
# A resumable upload sends so many bytes in one request, and repeats them when it fails. The client's default
# of 100 MiB would be held in memory whole, and progress would be reported as rarely.
_CHUNK_BYTES = 32 << 20


def upload_file(
    local: Path,
    destination: GcsPath,
    *,
    crc32c: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> StoredObject:
    """Upload a file, unless an object with the same bytes is there already.

    The CRC32C travels with the upload: the service refuses bytes that don't have it, so a broken object never
    exists. An object that somebody else writes meanwhile is not replaced.

    Args:
        local: The file.
        destination: The object.
        crc32c: The file's checksum, where it is known; None to read it.
        progress: Called with the number of bytes sent since the last call.

    Returns:
        The object as the service has it.

    Raises:
        InputError: No such file or bucket, no permission, no credentials, no answer at the endpoint.
        StorageError: The service goes on failing, or somebody else has written the object meanwhile.
    """
    if not local.is_file():
        raise InputError(Problem(f"{local} is not a file.", "Name a file that exists."))
    if not destination.key:
        raise InputError(
            Problem(f"{destination} is a bucket.", f"Name the object, such as {destination}/{local.name}.")
        )
    with explained(destination, _WRITER_ROLE, missing=bucket_missing(destination)):
        size, crc32c = local.stat().st_size, crc32c or checksum.of_file(local)
        present = find_object(destination)
        if present is None or not _same(present, size, crc32c):
            present = _send(local, destination, crc32c, present.generation if present else 0, progress)
        elif progress:
            progress(size)
    if not _same(present, size, crc32c):
        raise StorageError(
            f"{destination}: {present.size} bytes (CRC32C {present.crc32c}) are stored, {local} has {size} "
            f"({crc32c}).",
            "Upload again when nobody else writes the object.",
        )
    return present


def is_stored(local: Path, destination: GcsPath, *, crc32c: str | None = None) -> bool:
    """Whether an object with the bytes of a file is there already, so that an upload would send nothing.

    Args:
        local: The file.
        destination: The object.
        crc32c: The file's checksum, where it is known; None to read it.

    Raises:
        InputError: No such bucket, no permission, no credentials, no answer at the endpoint.
        StorageError: The service goes on failing.
    """
    with explained(destination, _WRITER_ROLE, missing=bucket_missing(destination)):
        present = find_object(destination)
    size = local.stat().st_size
    if present is None or present.size != size:
        return False
    return _same(present, size, crc32c or checksum.of_file(local))


def _same(present: StoredObject, size: int, crc32c: str) -> bool:
    return (present.size, present.crc32c) == (size, crc32c) and not present.gzipped


def _send(
    local: Path, destination: GcsPath, crc32c: str, replaces: int, progress: Callable[[int], None] | None
) -> StoredObject:
    blob = connect().bucket(destination.bucket).blob(destination.key, chunk_size=_CHUNK_BYTES)
    blob.crc32c = crc32c
    with local.open("rb") as file:
        try:
            blob.upload_from_file(
                _Reported(file, progress) if progress else file,
                size=os.fstat(file.fileno()).st_size,
                if_generation_match=replaces,
                checksum="crc32c",
                retry=transfer_retry(),
                timeout=TRANSFER_TIMEOUT,
            )
        except Exception as error:
            # 412: the object was written since it was looked at; perhaps by this upload, when the answer to
            # its first attempt was lost. The caller compares the checksum.
            there = find_object(destination) if status_of(error) == 412 else None
            if there is None:
                raise
            return there
    return stored(blob, destination.parent.prefix)


class _Reported:
    """A file that reports how far it has been read; what a resumed upload reads again counts once."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._furthest = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        done = max(self._file.tell(), self._furthest)
        self._progress(done - self._furthest)
        self._furthest = done
        return data

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)
