"""Which members of a zip can become the files of one folder, and nothing else."""

import stat
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from vertex_torchserve.errors import Problem

_LONGEST_PART_BYTES = 255  # NAME_MAX of ext4, xfs, overlayfs, tmpfs and APFS
_ENCRYPTED = 0x1  # APPNOTE.TXT 4.4.4: bit 0 of the general purpose flags
_UNIX = 3  # APPNOTE.TXT 4.4.2: only then are the upper 16 attribute bits a mode
# What TorchServe can read itself, and all that torch-model-archiver writes.
_COMPRESSIONS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_MOST_SHOWN = 5


def member_problems(origin: str, members: Sequence[zipfile.ZipInfo], fix: str) -> list[Problem]:
    """What keeps the members from becoming files, one problem of a kind.

    Args:
        origin: The archive, for messages.
        members: Its files; entries of folders are not among them.
        fix: What to do about any of it.
    """
    return [
        Problem(f"{origin} holds {what}: {_shown(names)}", fix) for what, names in _refused(members) if names
    ]


def _refused(members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, list[str]]]:
    names = [member.filename for member in members]
    paths = Counter(str(PurePosixPath(name)) for name in names)
    yield "names that leave the model folder", [name for name in names if _leaves(name)]
    yield (
        f"names with a part of more than {_LONGEST_PART_BYTES} bytes",
        [name[:60] for name in names if _is_long(name)],
    )
    yield "several files of one name", [name for name, count in paths.items() if count > 1]
    yield "files that are folders too", sorted(paths.keys() & _folders(names))
    yield "links, of which only files are accepted", [each.filename for each in members if _is_special(each)]
    yield "encrypted files", [each.filename for each in members if each.flag_bits & _ENCRYPTED]
    yield (
        f"files that are neither {' nor '.join(_COMPRESSIONS.values())}",
        [each.filename for each in members if each.compress_type not in _COMPRESSIONS],
    )


def _leaves(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts


def _is_long(name: str) -> bool:
    return any(len(part.encode()) > _LONGEST_PART_BYTES for part in name.split("/"))


def _folders(names: Sequence[str]) -> set[str]:
    return {str(folder) for name in names for folder in PurePosixPath(name).parents}


def _is_special(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16) if member.create_system == _UNIX else 0
    return kind not in (0, stat.S_IFREG)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_MOST_SHOWN]) + (", ..." if len(names) > _MOST_SHOWN else "")
