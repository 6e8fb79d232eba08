"""Which objects of a folder are wanted, and whether their names can become files."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from vertex_torchserve.errors import Problem
from vertex_torchserve.gcs.listing import StoredObject
from vertex_torchserve.ignore_patterns import is_ignored

_LONGEST_NAME_BYTES = 255  # NAME_MAX of ext4, xfs, overlayfs and APFS


def is_left_out(name: str, ignore: Sequence[str], skip_folders: Sequence[str]) -> bool:
    """Whether an object is to be left out.

    Args:
        name: Its name relative to the folder, such as `runs/1/events.log`.
        ignore: Names and glob patterns (`ignore_patterns`).
        skip_folders: Folders left out, by their exact path relative to the folder; no patterns.
    """
    folders = [str(folder) for folder in PurePosixPath(name).parents if folder.name]
    skipped = any(folder.strip("/") in folders for folder in skip_folders)
    return skipped or is_ignored(name, ignore)


def landing_problems(objects: Iterable[StoredObject]) -> list[Problem]:
    """Everything that keeps the objects from becoming files beneath one folder."""
    objects = list(objects)
    names = {item.name for item in objects}
    problems = []
    for item in objects:
        if wrong := _wrong_name(item.name):
            problems.append(
                Problem(
                    f"'{item}' can't become a file: its name {wrong}.", "Rename the object, or ignore it."
                )
            )
        for folder in {str(folder) for folder in PurePosixPath(item.name).parents} & names:
            problems.append(
                Problem(
                    f"'{item}' lies beneath '{folder}', which is an object too: a file can't be a folder.",
                    "Rename or ignore one of the two.",
                )
            )
    return problems


def _wrong_name(name: str) -> str | None:
    parts = name.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        return "has an empty, '.' or '..' part"
    if "\\" in name or "\0" in name:
        return "has a backslash or a zero byte in it"
    if any(len(part.encode()) > _LONGEST_NAME_BYTES for part in parts):
        return f"has a part of more than {_LONGEST_NAME_BYTES} bytes"
    return None
