"""Download objects and folders: in parallel, each checked, and put in place when all are complete."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.gcs.all_at_once import staged
from vertex_torchserve.gcs.failures import explained
from vertex_torchserve.gcs.fetch import Fetch, fetch
from vertex_torchserve.gcs.listing import (
    READER_ROLE,
    StoredObject,
    find_object,
    is_object,
    list_folder,
    nothing_beneath,
)
from vertex_torchserve.gcs.path import GcsPath
from vertex_torchserve.gcs.ranges import replaced
from vertex_torchserve.gcs.selection import is_left_out, landing_problems

Progress = Callable[[int], None]


def download(source: GcsPath, target: Path, *, ignore: Sequence[str] = ()) -> Path:
    """Download whatever a path names, an object or a folder.

    Args:
        source: The object or the folder.
        target: The local file or folder for it.
        ignore: Names and glob patterns to leave out of a folder.

    Returns:
        `target`.

    Raises:
        InputError: As for `download_folder`.
        StorageError: The service goes on failing.
    """
    if is_object(source):
        return download_file(source, target)
    download_folder(source, target, ignore=ignore)
    return target


def download_folder(
    source: GcsPath,
    destination: Path,
    *,
    ignore: Sequence[str] = (),
    skip_folders: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Path]:
    """Download everything beneath a folder, with its sub-folders.

    `gs://b/model` takes what lies beneath `gs://b/model/`, never `gs://b/model-2`. The versions that were
    there when the download began are taken, and each one's CRC32C is compared with its metadata. The files
    appear in `destination` when all of them are right; on any failure nothing stays behind.

    Args:
        source: The folder.
        destination: The local folder, made when missing. What it holds already is left alone.
        ignore: Names and glob patterns to leave out; `ignore_patterns` says what they are matched with.
        skip_folders: Folders to leave out, by their exact path relative to `source`.
        progress: Called with the number of bytes that arrived since the last call, by one thread at a time.

    Returns:
        The files, sorted by their name beneath `destination`.

    Raises:
        InputError: Nothing to download; a name that can't become a file, or is taken in `destination`; no
            such bucket, no permission, no credentials, no answer at the endpoint; no space; an object that
            arrives corrupt twice.
        StorageError: The service goes on failing.
    """
    present = list_folder(source)
    wanted = [item for item in present if not is_left_out(item.name, ignore, skip_folders)]
    if not wanted:
        raise InputError(_all_ignored(source, len(present)) if present else nothing_beneath(source))
    raise_problems(landing_problems(wanted))
    return _download(source, wanted, [destination / item.name for item in wanted], destination, progress)


def download_file(source: GcsPath, destination_file: Path, *, progress: Progress | None = None) -> Path:
    """Download one object to one file, which must not exist yet.

    Args:
        source: The object.
        destination_file: The file; folders above it are made when missing.
        progress: Called with the number of bytes that arrived since the last call.

    Returns:
        `destination_file`.

    Raises:
        InputError: As for `download_folder`.
        StorageError: The service goes on failing.
    """
    item = find_object(source)
    if item is None:
        raise InputError(
            Problem(f"{source}: there is no such object.", "Name an object; `gcloud storage ls` lists them.")
        )
    _download(source, [item], [destination_file], destination_file.parent, progress)
    return destination_file


def _download(
    source: GcsPath, items: list[StoredObject], targets: list[Path], folder: Path, progress: Progress | None
) -> list[Path]:
    raise_problems(
        [_taken(item, target) for item, target in zip(items, targets, strict=True) if _in_the_way(target)]
    )
    with explained(source, READER_ROLE, missing=replaced(source)):
        _require_space(sum(item.size for item in items), folder)
        with staged(folder) as staging:
            fetches = [
                Fetch(item, staging / target.relative_to(folder))
                for item, target in zip(items, targets, strict=True)
            ]
            fetch(fetches, progress)
    return targets


def _in_the_way(target: Path) -> bool:
    return os.path.lexists(target)


def _taken(item: StoredObject, target: Path) -> Problem:
    return Problem(
        f"{target} exists already; '{item}' would replace it.",
        "Choose an empty folder, or move the file away.",
    )


def _all_ignored(source: GcsPath, ignored: int) -> Problem:
    return Problem(
        f"{source}: all of its {ignored} objects are ignored.",
        "Leave out fewer files, or name another folder.",
    )


def _require_space(needed: int, folder: Path) -> None:
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise InputError(
            Problem(
                f"{folder}: {needed:,} bytes are to be downloaded, {free:,} are free.",
                "Free some space, or use a folder on a larger disk.",
            )
        )
