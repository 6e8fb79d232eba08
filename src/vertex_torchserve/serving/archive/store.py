"""Find the one archive to serve, on the local disk or in Cloud Storage, and unpack it."""

from collections.abc import Callable
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving.archive.other_formats import TAR_SUFFIXES, link_folder, unpack_tar
from vertex_torchserve.serving.archive.source import ArchiveSource, LocalArchive
from vertex_torchserve.serving.archive.unpacking import ModelFolder, unpack_archive
from vertex_torchserve.serving.settings import ServingSettings

_SUFFIXES = (".mar", *TAR_SUFFIXES)


def fetch_archive(settings: ServingSettings, folder: Path) -> ModelFolder:
    """Find the archive and unpack it: a `.mar`, a `.tar.gz` or, on the local disk, a folder.

    Args:
        settings: Where it is.
        folder: Where it is unpacked; must not exist yet.

    Raises:
        InputError: As `find_archive`, or it can't be served.
        StorageError: When Cloud Storage goes on failing.
    """
    unpacked = _unpacked_archive(settings)
    if unpacked is not None:
        return link_folder(unpacked, folder)
    found = find_archive(settings)
    unpack = unpack_tar if found.origin.endswith(TAR_SUFFIXES) else unpack_archive
    return unpack(found, folder)


def find_archive(settings: ServingSettings) -> ArchiveSource:
    """The archive in the folder that the environment names; nothing of it has been read.

    Raises:
        InputError: When the folder can't be read, or holds no archive, several, or not the one `MODEL_NAME`
            names.
        StorageError: When Cloud Storage goes on failing.
    """
    if settings.model_source.startswith("gs://"):
        names, open_archive = _stored(settings.model_source)
    else:
        names, open_archive = _local(Path(settings.model_source))
    archives = _archives(settings, names)
    if len(archives) != 1:
        raise InputError(_not_one_archive(settings, names, found=len(archives)))
    return open_archive(archives[0])


def _archives(settings: ServingSettings, names: list[str]) -> list[str]:
    """Those that could be meant; where there are several formats of the name that is asked for, the .mar."""
    if settings.model_name is None:
        return [name for name in names if name.endswith(_SUFFIXES)]
    wanted = [f"{settings.model_name}{suffix}" for suffix in _SUFFIXES]
    return [name for name in wanted if name in names][:1]


def _unpacked_archive(settings: ServingSettings) -> Path | None:
    """The folder that is the archive: the local one that the environment names, or the one in it."""
    store = Path(settings.model_source)
    if settings.model_source.startswith("gs://") or not store.is_dir():
        return None
    if (store / MANIFEST_NAME).is_file():
        return store
    names, _ = _local(store)
    folders = [store / name for name in names if settings.model_name in (None, name)]
    unpacked = [path for path in folders if (path / MANIFEST_NAME).is_file()]
    return unpacked[0] if len(unpacked) == 1 and not _archives(settings, names) else None


def _local(folder: Path) -> tuple[list[str], Callable[[str], ArchiveSource]]:
    """The names in a folder, and how an archive of it is read."""
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
    return names, lambda name: LocalArchive(folder / name)


def _stored(uri: str) -> tuple[list[str], Callable[[str], ArchiveSource]]:
    """The same for a folder in Cloud Storage; the folders in it end with a slash."""
    from vertex_torchserve import gcs

    folder = gcs.GcsPath.parse(uri)
    objects = {item.name: item for item in gcs.list_folder(folder)}
    if not objects:
        raise InputError(gcs.nothing_beneath(folder))
    names = {first + slash for first, slash, _ in (name.partition("/") for name in objects)}
    return sorted(names), lambda name: gcs.ObjectRanges(objects[name])


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
