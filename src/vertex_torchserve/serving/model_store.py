"""Find the one archive to serve, and bring it onto the local disk."""

from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive import Manifest, read_manifest
from vertex_torchserve.serving.settings import ServingSettings


def fetch_archive(settings: ServingSettings, work: Path) -> tuple[Path, Manifest]:
    """The archive on local disk, and its manifest; a gs:// folder is downloaded into `work`.

    Raises:
        InputError: When the folder holds no archive, several, or not the one `MODEL_NAME` names, or the
            archive is not one.
    """
    folder = Path(settings.model_source)
    if settings.model_source.startswith("gs://"):
        from vertex_torchserve import gcs

        folder = work / "model-store"
        gcs.download_folder(gcs.GcsPath.parse(settings.model_source), folder)
    archives = sorted(folder.glob("*.mar"))
    if settings.model_name is not None:
        archives = [archive for archive in archives if archive.stem == settings.model_name]
    if len(archives) != 1:
        raise InputError(_not_one_archive(settings, folder, found=len(archives)))
    return archives[0], read_manifest(archives[0])


def _not_one_archive(settings: ServingSettings, folder: Path, found: int) -> Problem:
    wanted = f"{settings.model_name}.mar" if settings.model_name else "one .mar"
    there = ", ".join(sorted(path.name for path in folder.glob("*"))) or "nothing"
    message = f"{settings.model_source} must hold {wanted}; found: {there}"
    if found > 1 or settings.storage_uri:
        return Problem(message, "put exactly one archive there, or name the one to serve with MODEL_NAME")
    message = f"AIP_STORAGE_URI is empty, and {message}"
    if settings.on_vertex:
        return Problem(message, "upload the model with an artifact folder (artifact_uri) that holds its .mar")
    return Problem(
        message,
        "mount the folder that holds the .mar there, or name another with VTS_MODEL_STORE or AIP_STORAGE_URI",
    )
