"""Read and check a model archive (.mar) before anything is done with it.

TorchServe carries on "Healthy" with an archive it can't read (measured with 0.12.0), so whoever is
about to serve, upload or register one looks here first.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vertex_torchserve.errors import InputError, Problem

MANIFEST_NAME = "MAR-INF/MANIFEST.json"
MODEL_CONFIG_NAME = "model-config.yaml"
# At the archive's root: what the served model must answer right before it is called ready.
GOLDEN_REQUEST_NAME = "golden-request.json"

_REPACK = "package the model again with `vertex-torchserve package`"


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


def read_manifest(mar_path: Path) -> Manifest:
    """Read the manifest of an archive and check that the files it names are there.

    Raises:
        InputError: When the file is missing, is not a zip, holds unsafe names, or its manifest is
            absent or names a file that the archive does not hold.
    """
    if not mar_path.is_file():
        raise InputError(
            Problem(f"{mar_path} is not a file; a model archive (.mar) is needed", "give the path of a .mar")
        )
    try:
        with zipfile.ZipFile(mar_path) as archive:
            names = set(archive.namelist())
            _refuse_unsafe_names(mar_path, names)
            manifest = _parse_manifest(mar_path, archive, names)
    except zipfile.BadZipFile as error:
        raise InputError(
            Problem(f"{mar_path} is not a model archive: {error} ({mar_path.stat().st_size} bytes)", _REPACK)
        ) from error
    _require_named_files(mar_path, manifest, names)
    return manifest


def unpacked_bytes(mar_path: Path) -> int:
    """The size of an archive's files once they are unpacked."""
    with zipfile.ZipFile(mar_path) as archive:
        return sum(member.file_size for member in archive.infolist())


def verify_members(mar_path: Path) -> None:
    """Read every member and compare it with its checksum.

    Raises:
        InputError: When a member is corrupt.
    """
    with zipfile.ZipFile(mar_path) as archive:
        try:
            corrupt = archive.testzip()
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            corrupt = str(error)
    if corrupt is not None:
        raise InputError(Problem(f"{mar_path} is corrupt: {corrupt}", _REPACK))


def _parse_manifest(mar_path: Path, archive: zipfile.ZipFile, names: set[str]) -> Manifest:
    if MANIFEST_NAME not in names:
        raise InputError(Problem(f"{mar_path} has no {MANIFEST_NAME}, so it is not a model archive", _REPACK))
    try:
        model: dict[str, Any] = json.loads(archive.read(MANIFEST_NAME))["model"]
        return Manifest(
            model_name=model["modelName"],
            model_version=str(model.get("modelVersion", "1.0")),
            handler=model["handler"],
            serialized_file=model.get("serializedFile"),
            model_file=model.get("modelFile"),
            requirements_file=model.get("requirementsFile"),
            config_file=model.get("configFile"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            Problem(
                f"{mar_path}: {MANIFEST_NAME} is not a manifest with `model.modelName` and "
                f"`model.handler` ({type(error).__name__}: {error})",
                _REPACK,
            )
        ) from error


def _refuse_unsafe_names(mar_path: Path, names: set[str]) -> None:
    unsafe = sorted(
        name for name in names if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts
    )
    if unsafe:
        raise InputError(
            Problem(f"{mar_path} holds names that leave the model folder: {', '.join(unsafe[:5])}", _REPACK)
        )


def _require_named_files(mar_path: Path, manifest: Manifest, names: set[str]) -> None:
    handler_file = manifest.handler.split(":", 1)[0]
    named = {
        "serializedFile": manifest.serialized_file,
        "modelFile": manifest.model_file,
        "requirementsFile": manifest.requirements_file,
        "configFile": manifest.config_file,
        "handler": handler_file if handler_file.endswith(".py") else None,
    }
    missing = [
        Problem(f"{mar_path}: the manifest names {key} {value!r}, which is not in the archive", _REPACK)
        for key, value in named.items()
        if value and value not in names
    ]
    if missing:
        raise InputError(*missing)
