"""Which members of a zip can become the files of one folder, and nothing else."""

import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from vertex_torchserve.errors import Problem
from vertex_torchserve.serving.archive.bounded_text import shortened
from vertex_torchserve.serving.archive.member_names import EFFECTIVE_CONFIG_NAME, GOLDEN_REQUEST_NAME

MOST_MEMBERS = 100_000
_LONGEST_PART_BYTES = 255  # NAME_MAX of ext4, xfs, overlayfs, tmpfs and APFS
# As long as the name of an object in Cloud Storage; with a folder before it, within PATH_MAX of Linux, 4,096.
_LONGEST_NAME_BYTES = 1024
_ENCRYPTED = 0x1  # APPNOTE.TXT 4.4.4: bit 0 of the general purpose flags
_UNIX = 3  # APPNOTE.TXT 4.4.2: only then are the upper 16 attribute bits a mode
# What TorchServe can read itself, and all that torch-model-archiver writes.
_COMPRESSIONS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_LINKS = "links, of which only files are accepted"
_NO_FOLDERS = (f"{GOLDEN_REQUEST_NAME}/", f"{EFFECTIVE_CONFIG_NAME}/")
_MOST_SHOWN = 5
_MOST_SHOWN_CHARACTERS = 60


def member_problems(origin: str, members: Sequence[zipfile.ZipInfo], fix: str) -> list[Problem]:
    """What keeps the members from becoming files, one problem of a kind.

    Args:
        origin: The archive, for messages.
        members: Its files; entries of folders are not among them.
        fix: What to do about any of it.
    """
    kinds = [*_refused_names([member.filename for member in members]), *_refused_entries(members)]
    return _problems(origin, kinds, fix)


def member_name_problems(origin: str, names: Sequence[str], fix: str) -> list[Problem]:
    """The same for names alone, before there is an archive.

    Args:
        origin: The archive, for messages.
        names: Of its files.
        fix: What to do about any of it.
    """
    return _problems(origin, _refused_names(names), fix)


def link_problems(origin: str, names: Sequence[str], fix: str) -> list[Problem]:
    """The refusal of links, in whatever format they are packed; none without names.

    Args:
        origin: The archive, for messages.
        names: Of its links.
        fix: What to do about them.
    """
    return _problems(origin, [(_LINKS, names)], fix)


def _problems(origin: str, kinds: Iterable[tuple[str, Sequence[str]]], fix: str) -> list[Problem]:
    return [Problem(f"{origin} holds {what}: {_shown(names)}", fix) for what, names in kinds if names]


def _refused_names(names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    if len(names) > MOST_MEMBERS:
        yield f"{len(names):,} files, of which {MOST_MEMBERS:,} are accepted", list(names)
        return
    paths = Counter(str(PurePosixPath(name)) for name in names)
    yield "names that name no file", [name for name in names if PurePosixPath(name) == PurePosixPath()]
    yield (
        "names that are no UTF-8",
        [name for name in names if any("\ud800" <= each <= "\udfff" for each in name)],
    )
    yield "names that leave the model folder", [name for name in names if _leaves(name)]
    yield f"names with a part of more than {_LONGEST_PART_BYTES} bytes", [n for n in names if _is_long(n)]
    yield (
        f"names of more than {_LONGEST_NAME_BYTES:,} bytes",
        [name for name in names if _bytes_of(name) > _LONGEST_NAME_BYTES],
    )
    yield "several files of one name", [name for name, count in paths.items() if count > 1]
    yield "files that are folders too", _also_folders(paths)
    yield (
        f"folders in place of {' or '.join(name.rstrip('/') for name in _NO_FOLDERS)}",
        [path for path in paths if path.startswith(_NO_FOLDERS)],
    )


def _refused_entries(members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, list[str]]]:
    yield _LINKS, [each.filename for each in members if _is_special(each)]
    yield "encrypted files", [each.filename for each in members if each.flag_bits & _ENCRYPTED]
    yield (
        f"files that are neither {' nor '.join(_COMPRESSIONS.values())}",
        [each.filename for each in members if each.compress_type not in _COMPRESSIONS],
    )


def _leaves(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts


def _is_long(name: str) -> bool:
    return any(_bytes_of(part) > _LONGEST_PART_BYTES for part in name.split("/"))


def _bytes_of(name: str) -> int:
    return len(name.encode(errors="surrogateescape"))


def _also_folders(paths: Iterable[str]) -> list[str]:
    """The paths that others lie below: sorted by their parts, the first of those follows at once."""
    ordered = sorted(path.replace("/", "\0") for path in paths)  # no name holds NUL, which sorts first
    return [one.replace("\0", "/") for one, other in pairwise(ordered) if other.startswith(f"{one}\0")]


def _is_special(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16) if member.create_system == _UNIX else 0
    return kind not in (0, stat.S_IFREG)


def _shown(names: Sequence[str]) -> str:
    shown = [name if name and name.isprintable() else repr(name) for name in names[:_MOST_SHOWN]]
    more = ", ..." if len(names) > _MOST_SHOWN else ""
    return ", ".join(shortened(name, _MOST_SHOWN_CHARACTERS) for name in shown) + more
