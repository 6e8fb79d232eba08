"""List the objects of a bucket, or find one."""

from dataclasses import dataclass
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.gcs.client import ask, connect
from vertex_torchserve.gcs.failures import explained
from vertex_torchserve.gcs.path import GcsPath

READER_ROLE = "roles/storage.objectViewer"
_FIELDS = "items(name,size,crc32c,generation,contentEncoding),nextPageToken"


@dataclass(frozen=True)
class StoredObject:
    """One version of one object.

    Attributes:
        bucket: The bucket's name.
        key: The object's full name in the bucket, as stored: it may be one no file system can hold.
        name: The part of the key after the folder that was listed.
        size: Bytes stored.
        crc32c: Checksum of the bytes stored, in base64.
        generation: The version; a newer one has a larger number.
        gzipped: Stored compressed, to be unpacked by whoever downloads it.
    """

    bucket: str
    key: str
    name: str
    size: int
    crc32c: str
    generation: int
    gzipped: bool = False

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.key}"


def list_folder(folder: GcsPath) -> list[StoredObject]:
    """Everything beneath `folder`, sorted by name; empty when there is nothing.

    Placeholders that consoles make for empty folders (keys ending in `/`) are left out.

    Raises:
        InputError: The bucket doesn't exist, or may not be read, or the endpoint doesn't answer.
        StorageError: The service goes on failing.
    """
    found = _objects(folder, folder.prefix, limit=None)
    return sorted((item for item in found if not item.key.endswith("/")), key=lambda item: item.name)


def find_object(path: GcsPath) -> StoredObject | None:
    """The object at exactly `path`; None when there is none.

    Raises:
        InputError: As for `list_folder`.
        StorageError: The service goes on failing.
    """
    # A listing, because its 404 means "no such bucket" and nothing else, and it needs no other permission
    # than listing a folder. The shortest key with the prefix comes first.
    found = _objects(path, path.key, limit=1) if path.key else []
    return found[0] if found and found[0].key == path.key else None


def is_object(path: GcsPath) -> bool:
    """Whether there is an object at exactly `path` (a folder is none).

    Raises:
        InputError: As for `list_folder`.
        StorageError: The service goes on failing.
    """
    return find_object(path) is not None


def nothing_beneath(folder: GcsPath) -> Problem:
    """The problem to report for a folder without objects.

    Raises:
        InputError: As for `list_folder`.
        StorageError: The service goes on failing.
    """
    if is_object(folder):
        return Problem(
            f"{folder} is an object, not a folder.", f"Name the folder it lies in: {folder.parent}."
        )
    return Problem(
        f"{folder}: there is nothing beneath {folder}/.",
        "Name a folder with objects; `gcloud storage ls` lists them.",
    )


def bucket_missing(path: GcsPath) -> Problem:
    """The problem to report when a listing or an upload is answered 404."""
    return Problem(
        f"{path}: there is no bucket {path.bucket!r}.",
        "Correct the bucket's name, or create it with `gcloud storage buckets create`.",
    )


def _objects(path: GcsPath, prefix: str, limit: int | None) -> list[StoredObject]:
    folder = path.prefix if prefix.endswith("/") or not prefix else path.parent.prefix

    def question(retry: Any, timeout: Any) -> list[StoredObject]:
        blobs = connect().list_blobs(
            path.bucket, prefix=prefix, max_results=limit, fields=_FIELDS, retry=retry, timeout=timeout
        )
        return [stored(blob, folder) for blob in blobs]

    with explained(path, READER_ROLE, missing=bucket_missing(path)):
        return ask(question)


def stored(blob: Any, folder_prefix: str) -> StoredObject:
    """A `StoredObject` of the client's `Blob`.

    Args:
        blob: A `google.cloud.storage.Blob` with its metadata.
        folder_prefix: The folder that was listed, with its slash; the name is what follows it.
    """
    return StoredObject(
        bucket=blob.bucket.name,
        key=blob.name,
        name=blob.name.removeprefix(folder_prefix),
        size=int(blob.size),
        crc32c=blob.crc32c,
        generation=int(blob.generation),
        gzipped=blob.content_encoding == "gzip",
    )
