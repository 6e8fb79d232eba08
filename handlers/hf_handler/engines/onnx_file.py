"""Which file of a model folder is the model as ONNX."""

from pathlib import Path, PurePosixPath

from hf_handler.archive import Archive, is_weights

# Where Hugging Face's Hub and sentence-transformers have it.
USUAL = ("model.onnx", "onnx/model.onnx")


def onnx_file_of(archive: Archive, folder: Path) -> Path | None:
    """Return the model's ONNX file; None where there is none.

    Args:
        archive: Its `handler.onnx_file` may name the file.
        folder: Of the encoder: the archive's, or a folder in it.

    Raises:
        ValueError: The file that is named isn't in the archive.
    """
    named = archive.settings.onnx_file
    if named is None:
        return next((file for name in USUAL if (file := folder / name).is_file()), None)
    file, path = archive.folder / named, PurePosixPath(named)
    if not file.is_file() or path.is_absolute() or ".." in path.parts:
        found = sorted(path.relative_to(archive.folder).as_posix() for path in archive.folder.rglob("*.onnx"))
        raise ValueError(
            f"handler.onnx_file {named!r} is no file of the archive, which has: {', '.join(found) or 'none'}"
            "; fix: correct it in model-config.yaml"
        )
    return file


def has_torch_weights(archive: Archive, folder: Path) -> bool:
    """Say whether torch can load the model, too."""
    named = archive.weights is not None and archive.weights.suffix != ".onnx"
    return named or any(map(is_weights, folder.iterdir()))
