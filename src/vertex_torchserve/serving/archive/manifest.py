"""Read a model archive (.mar) and refuse a bad one, before it is served, uploaded or registered.

TorchServe starts with an archive it can't read and calls itself "Healthy" (measured with 0.12.0).
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, BinaryIO

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.serving.archive.bounded_text import (
    UnreadableError,
    read_json,
    read_start,
    shortened,
)
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving.archive.members import member_problems

REPACK = "package the model again with `vertex-torchserve package`"

# What torch-model-archiver accepts; `,` and `=` would be separators in TorchServe's configuration.
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# A file's name has at most 255 bytes; room for `.mar`, and for what is written beside it.
LONGEST_MODEL_NAME = 200
# It stands in paths of requests and in labels of metrics.
LONGEST_VERSION = 200
LARGEST_MANIFEST_BYTES = 1 << 20
# What TorchServe reads as text (`Manifest.java`), and its parser makes text of.
_SCALAR = str | float | int | None
_MANIFEST_SCALARS = ("createdOn", "description", "archiverVersion", "runtime")
_MODEL_SCALARS = ("modelVersion", "version", "description", "envelope")
_MODEL_FILES = ("serializedFile", "modelFile", "requirementsFile", "configFile")
# What zipfile raises over bytes that are no archive, or a damaged one.
_NO_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Manifest:
    """What `MAR-INF/MANIFEST.json` says, in torch-model-archiver's own terms."""

    model_name: str
    model_version: str
    handler: str
    serialized_file: str | None = None
    model_file: str | None = None
    requirements_file: str | None = None
    config_file: str | None = None


@dataclass(frozen=True)
class ArchiveIndex:
    """What an archive holds, by its central directory; no member but the manifest has been read.

    Attributes:
        origin: Where it lies, for messages.
        manifest: Its manifest.
        members: Its files, in the order in which they lie in it.
        directory_start: Where the central directory begins: no member's bytes lie behind it.
    """

    origin: str
    manifest: Manifest
    members: tuple[zipfile.ZipInfo, ...]
    directory_start: int

    @property
    def unpacked_bytes(self) -> int:
        """The size of its files once they are unpacked."""
        return sum(member.file_size for member in self.members)


def read_index(file: BinaryIO, origin: str) -> ArchiveIndex:
    """Read the central directory and the manifest, and check that they can be served.

    Args:
        file: The archive; only its end and the manifest are read.
        origin: Where it lies, for messages.

    Raises:
        InputError: When it is not a zip, holds members that can't become files of one folder, or its
            manifest is absent or names a file that it does not hold.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            # Not is_dir(), which fails for an empty name.
            members = [member for member in archive.infolist() if not member.filename.endswith("/")]
            raise_problems(member_problems(origin, members, REPACK))
            if not all(0 <= member.header_offset < archive.start_dir for member in members):
                raise zipfile.BadZipFile("a file is said to lie where the archive has none")
            names = {member.filename for member in members}
            manifest = _read_manifest(origin, archive, names)
            members.sort(key=lambda member: member.header_offset)
            index = ArchiveIndex(origin, manifest, tuple(members), archive.start_dir)
    except _NO_ZIP as error:
        size = file.seek(0, 2)
        raise InputError(
            Problem(f"{origin} is not a model archive: {error} ({size} bytes)", REPACK)
        ) from error
    raise_problems(missing_files(origin, manifest, names))
    return index


def read_manifest(mar_path: Path) -> Manifest:
    """Read the manifest of an archive on the disk, and check it as `read_index` does.

    Raises:
        InputError: When there is no such file, or the archive can't be served.
    """
    if not mar_path.is_file():
        raise InputError(
            Problem(f"{mar_path} is not a file; a model archive (.mar) is needed", "give the path of a .mar")
        )
    with mar_path.open("rb") as file:
        return read_index(file, str(mar_path)).manifest


def verify_members(mar_path: Path) -> None:
    """Read every member and compare it with its checksum.

    Raises:
        InputError: When a member is corrupt.
    """
    with zipfile.ZipFile(mar_path) as archive:
        try:
            corrupt = archive.testzip()
        except (*_NO_ZIP, OSError) as error:
            corrupt = str(error)
    if corrupt is not None:
        raise InputError(Problem(f"{mar_path} is corrupt: {corrupt}", REPACK))


def manifest_of_files(origin: str, folder: Path, names: Sequence[str]) -> Manifest:
    """Read the manifest of an archive that is a folder, and check it as `read_index` does.

    Args:
        origin: Where it comes from, for messages.
        folder: The folder.
        names: Its files.

    Raises:
        InputError: When it can't be served.
    """
    if MANIFEST_NAME not in names:
        raise InputError(no_manifest(origin))
    manifest = parse_manifest(origin, read_start(folder / MANIFEST_NAME, LARGEST_MANIFEST_BYTES))
    raise_problems(missing_files(origin, manifest, set(names)))
    return manifest


def _read_manifest(origin: str, archive: zipfile.ZipFile, names: set[str]) -> Manifest:
    if MANIFEST_NAME not in names:
        raise InputError(no_manifest(origin))
    with archive.open(MANIFEST_NAME) as file:
        return parse_manifest(origin, file.read(LARGEST_MANIFEST_BYTES + 1))


def no_manifest(origin: str) -> Problem:
    """The refusal of what holds no manifest."""
    return Problem(f"{origin} has no {MANIFEST_NAME}, so it is not a model archive", REPACK)


def parse_manifest(origin: str, text: bytes) -> Manifest:
    """Read the text of a `MAR-INF/MANIFEST.json`.

    Args:
        origin: Where the archive lies, for messages.
        text: The member's content, or a little more of it than `LARGEST_MANIFEST_BYTES`.

    Raises:
        InputError: It is not what TorchServe can read, or beyond a limit.
    """
    try:
        content = read_json(text, LARGEST_MANIFEST_BYTES)
        _require_object("", content)
        _require_fields("", content, _MANIFEST_SCALARS, _SCALAR)
        model = content.get("model")
        _require_object("`model`", model)
        _require_fields("model.", model, ("modelName", "handler"), str)
        _require_fields("model.", model, _MODEL_FILES, str | None)
        _require_fields("model.", model, _MODEL_SCALARS, _SCALAR)
    except UnreadableError as error:
        raise InputError(
            Problem(
                f"{origin}: {MANIFEST_NAME} is not a manifest with `model.modelName` and `model.handler`: it "
                f"{error}",
                REPACK,
            )
        ) from error
    manifest = Manifest(
        model_name=model["modelName"],
        model_version=str(model.get("modelVersion", "1.0")),
        handler=model["handler"],
        serialized_file=model.get("serializedFile"),
        model_file=model.get("modelFile"),
        requirements_file=model.get("requirementsFile"),
        config_file=model.get("configFile"),
    )
    raise_problems([Problem(f"{origin}: the manifest {fault}", REPACK) for fault in _name_faults(manifest)])
    return manifest


def _require_object(place: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise UnreadableError(f"holds {shortened(repr(value))} {place and f'as {place} '}and no object")


def _require_fields(
    prefix: str, content: dict[str, Any], names: Sequence[str], accepted: UnionType | type
) -> None:
    for name in names:
        if not isinstance(content.get(name), accepted):
            raise UnreadableError(
                f"holds {shortened(repr(content.get(name)))} as `{prefix}{name}`, which must be a text"
            )


def _name_faults(manifest: Manifest) -> Iterator[str]:
    name, version = manifest.model_name, manifest.model_version
    if not _MODEL_NAME.fullmatch(name) or len(name) > LONGEST_MODEL_NAME:
        yield (
            f"names the model {shortened(repr(name))}, {len(name):,} characters; accepted are letters, "
            f"digits, `_`, `-` and `.`, a letter or digit first, at most {LONGEST_MODEL_NAME}"
        )
    if not is_version(version):
        yield (
            f"has the version {shortened(repr(version))}, {len(version):,} characters; accepted are "
            f"printable ones, at most {LONGEST_VERSION}"
        )


def is_version(version: str) -> bool:
    """Whether a model may have the version: 1 to 200 printable characters, not all of them spaces."""
    return len(version) <= LONGEST_VERSION and version.isprintable() and bool(version.strip())


def missing_files(origin: str, manifest: Manifest, names: Collection[str]) -> list[Problem]:
    """The files that a manifest names and its archive does not hold.

    Args:
        origin: Where the archive lies, for messages.
        manifest: Its manifest.
        names: Of its members.
    """
    handler_file = manifest.handler.split(":", 1)[0]
    named = {
        "serializedFile": manifest.serialized_file,
        "modelFile": manifest.model_file,
        "requirementsFile": manifest.requirements_file,
        "configFile": manifest.config_file,
        "handler": handler_file if handler_file.endswith(".py") else None,
    }
    return [
        Problem(
            f"{origin}: the manifest names {key} {shortened(repr(value))}, which is not in the archive",
            REPACK,
        )
        for key, value in named.items()
        if value and value not in names
    ]
