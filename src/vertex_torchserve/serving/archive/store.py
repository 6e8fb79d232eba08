"""Find the one archive to serve, on the local disk or in Cloud Storage."""

from collections.abc import Callable
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.source import ArchiveSource, LocalArchive
from vertex_torchserve.serving.settings import ServingSettings

_SUFFIX = ".mar"


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
    archives = [name for name in names if name.endswith(_SUFFIX)]
    if settings.model_name is not None:
        archives = [name for name in archives if name == settings.model_name + _SUFFIX]
    if len(archives) != 1:
        raise InputError(_not_one_archive(settings, names, found=len(archives)))
    return open_archive(archives[0])


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
