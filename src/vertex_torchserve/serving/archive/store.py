"""Find the one archive to serve, on the local disk or in Cloud Storage, and unpack it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving.archive.other_formats import (
    TAR_SUFFIXES,
    download_folder,
    link_folder,
    unpack_tar,
)
from vertex_torchserve.serving.archive.source import ArchiveSource, LocalArchive
from vertex_torchserve.serving.archive.unpacking import ModelFolder, unpack_archive
from vertex_torchserve.serving.settings import ServingSettings

logger = logging.getLogger(__name__)

_SUFFIXES = (".mar", *TAR_SUFFIXES)


@dataclass(frozen=True)
class _Store:
    """The folder that the environment names.

    Attributes:
        names: Of what lies in it; folders in Cloud Storage end with a slash.
        holds: Whether a path in it is a file.
        open_archive: Opens an archive in it by its name.
        take_folder: Makes a model folder of a folder in it (empty: of itself) at a place.
    """

    names: list[str]
    holds: Callable[[str], bool]
    open_archive: Callable[[str], ArchiveSource]
    take_folder: Callable[[str, Path], ModelFolder]


def fetch_archive(settings: ServingSettings, folder: Path) -> ModelFolder:
    """Find the archive and unpack it: a `.mar`, a `.tar.gz` or a folder.

    Args:
        settings: Where it is.
        folder: Where it is unpacked; must not exist yet.

    Raises:
        InputError: As `find_archive`, or it can't be served.
        StorageError: When Cloud Storage goes on failing.
    """
    store = _store(settings)
    unpacked = _unpacked_archive(settings, store)
    if unpacked is not None:
        return store.take_folder(unpacked, folder)
    found = _one_archive(settings, store)
    logger.info("found %s: %d bytes", found.origin, found.size)
    unpack = unpack_tar if found.origin.endswith(TAR_SUFFIXES) else unpack_archive
    return unpack(found, folder)


def find_archive(settings: ServingSettings) -> ArchiveSource:
    """The archive in the folder that the environment names; nothing of it has been read.

    Raises:
        InputError: When the folder can't be read, or holds no archive, several, or not the one `MODEL_NAME`
            names.
        StorageError: When Cloud Storage goes on failing.
    """
    return _one_archive(settings, _store(settings))


def _one_archive(settings: ServingSettings, store: _Store) -> ArchiveSource:
    archives = _archives(settings, store)
    if len(archives) != 1:
        raise InputError(_not_one_archive(settings, store.names, found=len(archives)))
    return store.open_archive(archives[0])


def _archives(settings: ServingSettings, store: _Store) -> list[str]:
    """Those that could be meant; where there are several formats of the name that is asked for, the .mar."""
    if settings.model_name is None:
        return [name for name in store.names if name.endswith(_SUFFIXES)]
    wanted = [f"{settings.model_name}{suffix}" for suffix in _SUFFIXES]
    return [name for name in wanted if name in store.names][:1]


def _unpacked_archive(settings: ServingSettings, store: _Store) -> str | None:
    """The folder that is the archive: empty for the store itself, or the one in it; None: there is none."""
    if store.holds(MANIFEST_NAME):
        return ""
    folders = [name.removesuffix("/") for name in store.names]
    unpacked = [
        name
        for name in folders
        if settings.model_name in (None, name) and store.holds(f"{name}/{MANIFEST_NAME}")
    ]
    return unpacked[0] if len(unpacked) == 1 and not _archives(settings, store) else None


def _store(settings: ServingSettings) -> _Store:
    uri = settings.model_source
    return _stored(uri) if uri.startswith("gs://") else _local(Path(uri))


def _local(folder: Path) -> _Store:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise InputError(
            Problem(
                f"{folder} can't be read: {error.strerror or error}",
                "let the user this runs as list the folder (`chmod a+rx`)",
            )
        ) from error
    return _Store(
        names,
        holds=lambda path: (folder / path).is_file(),
        open_archive=lambda name: LocalArchive(folder / name),
        take_folder=lambda name, target: link_folder(folder / name, target),
    )


def _stored(uri: str) -> _Store:
    from vertex_torchserve import gcs

    folder = gcs.GcsPath.parse(uri)
    objects = {item.name: item for item in gcs.list_folder(folder)}
    if not objects:
        raise InputError(gcs.nothing_beneath(folder))
    names = {first + slash for first, slash, _ in (name.partition("/") for name in objects)}
    return _Store(
        sorted(names),
        holds=lambda path: path in objects,
        open_archive=lambda name: gcs.ObjectRanges(objects[name]),
        take_folder=lambda name, target: download_folder(f"{folder}/{name}".rstrip("/"), target),
    )


def _not_one_archive(settings: ServingSettings, names: list[str], found: int) -> Problem:
    wanted = f"{settings.model_name}.mar, as MODEL_NAME says" if settings.model_name else "one .mar"
    message = f"{settings.model_source} must hold {wanted}; found: {', '.join(names) or 'nothing'}"
    if found > 1 or settings.storage_uri:
        return Problem(message, "put exactly one archive there, or name the one to serve with MODEL_NAME")
    message = f"AIP_STORAGE_URI is empty, and {message}"
    if settings.on_vertex:
        return Problem(message, "upload the model with an artifact folder (artifact_uri) that holds its .mar")
    return Problem(
        message,
        "mount the folder that holds the .mar there, or name another with VTS_MODEL_STORE or AIP_STORAGE_URI",
    )
