"""Notes: empty objects whose metadata several writers share; each write names the version it replaces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vertex_torchserve.gcs.client import ask, connect, status_of
from vertex_torchserve.gcs.failures import explained
from vertex_torchserve.gcs.listing import bucket_missing
from vertex_torchserve.gcs.path import GcsPath

_WRITER_ROLE = "roles/storage.objectUser"
_PRECONDITION_FAILED = 412
_NOT_FOUND = 404

Result = TypeVar("Result")


@dataclass(frozen=True)
class Note:
    """One version of a note.

    Attributes:
        path: The object.
        fields: What is written on it.
        generation: The version; a newer one has a larger number.
    """

    path: GcsPath
    fields: Mapping[str, str]
    generation: int


def read_note(path: GcsPath) -> Note | None:
    """The note at `path`; None when there is none.

    Raises:
        InputError: No such bucket, no permission, no credentials, no answer at the endpoint.
        StorageError: The service goes on failing.
    """
    blob = _asked(path, lambda **options: connect().bucket(path.bucket).get_blob(path.key, **options))
    return Note(path, dict(blob.metadata or {}), int(blob.generation)) if blob else None


def write_note(path: GcsPath, fields: Mapping[str, str], replaces: Note | None) -> Note | None:
    """Write a note, unless somebody else has written it meanwhile.

    Args:
        path: The object.
        fields: What to write. With a field that nobody else writes, the note is told from others'.
        replaces: The version that is there; None when there is none.

    Returns:
        The note; None when another version is there than `replaces`.

    Raises:
        InputError: As for `read_note`.
        StorageError: The service goes on failing.
    """
    blob = connect().bucket(path.bucket).blob(path.key)
    blob.metadata = dict(fields)
    expected = replaces.generation if replaces else 0

    def write(**options: Any) -> Note | None:
        try:
            blob.upload_from_string(b"", if_generation_match=expected, **options)
        except Exception as error:
            if status_of(error) != _PRECONDITION_FAILED:
                raise
            # Perhaps by this very write, when the answer to its first attempt was lost.
            there = read_note(path)
            return there if there and there.fields == dict(fields) else None
        return Note(path, dict(fields), int(blob.generation))

    return _asked(path, write)


def remove_note(note: Note) -> None:
    """Remove a note, unless it is gone, or somebody else has written it meanwhile.

    Raises:
        InputError: As for `read_note`.
        StorageError: The service goes on failing.
    """

    def remove(**options: Any) -> None:
        blob = connect().bucket(note.path.bucket).blob(note.path.key)
        try:
            blob.delete(if_generation_match=note.generation, **options)
        except Exception as error:
            if status_of(error) not in {_PRECONDITION_FAILED, _NOT_FOUND}:
                raise

    _asked(note.path, remove)


def _asked(path: GcsPath, question: Callable[..., Result]) -> Result:
    with explained(path, _WRITER_ROLE, missing=bucket_missing(path)):
        return ask(question)
