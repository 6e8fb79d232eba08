"""An encoder loaded for the engine that the operator set, or for both where they are to be compared."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers

from hf_handler.archive import Archive
from hf_handler.engines.onnx_file import has_torch_weights, onnx_file_of
from hf_handler.engines.onnx_model import OUTPUTS, OnnxModel, skeleton_of
from hf_handler.optional import need

logger = logging.getLogger(__name__)

ONNXRUNTIME, TORCH = "onnxruntime", "torch"


class Loaded(NamedTuple):
    """An encoder.

    Attributes:
        model: Of transformers, or one that is called as such.
        rival: The same by onnxruntime, where `model` is by torch and it is to be measured which is faster.
    """

    model: Any
    rival: OnnxModel | None = None


def load_encoder(
    archive: Archive, auto_class: str, folder: Path, may_miss: tuple[str, ...], most_threads: int
) -> Loaded:
    """Load an encoder.

    `handler.engine: auto` takes an ONNX file into account where there is one that fits the model, on the CPU
    in float32; one that doesn't fit is warned about, unless there is nothing else to load.

    Args:
        archive: The model folder.
        auto_class: Name of the `AutoModel*` class.
        folder: Holds `config.json`.
        may_miss: Beginnings of the names of weights that the task doesn't need.
        most_threads: The most that a pack may use.

    Raises:
        ValueError: The model can't be loaded.
    """
    engine, file = archive.settings.engine, onnx_file_of(archive, folder)
    weights = has_torch_weights(archive, folder)
    if engine == ONNXRUNTIME or (engine == "auto" and file is not None and not weights):
        return Loaded(_by_onnxruntime(archive, auto_class, folder, file, most_threads))
    model = archive.model(getattr(transformers, auto_class), folder, may_miss)
    if engine == TORCH or file is None or _hindrance(archive, auto_class):
        return Loaded(model)
    try:
        need("onnxruntime", "an ONNX file in the archive")
        rival = OnnxModel(file, auto_class, skeleton_of(archive, auto_class, folder), most_threads)
    except ValueError as error:
        logger.warning("torch runs the model: %s", error)
        return Loaded(model)
    return Loaded(model, rival)


def _by_onnxruntime(
    archive: Archive, auto_class: str, folder: Path, file: Path | None, most_threads: int
) -> OnnxModel:
    if file is None:
        raise ValueError(
            "handler.engine onnxruntime needs an ONNX file, and the archive has no model.onnx or "
            "onnx/model.onnx; fix: package with --engine onnxruntime, which makes one, name another file in "
            "handler.onnx_file, or set handler.engine to torch"
        )
    hindrance = _hindrance(archive, auto_class)
    if hindrance:
        raise ValueError(f"onnxruntime can't run the model: {hindrance}; fix: set handler.engine to torch")
    need("onnxruntime", "handler.engine onnxruntime")
    return OnnxModel(file, auto_class, skeleton_of(archive, auto_class, folder), most_threads)


def _hindrance(archive: Archive, auto_class: str) -> str | None:
    """Return why onnxruntime isn't used here whatever the file is; None where nothing hinders it."""
    settings = archive.settings
    if auto_class not in OUTPUTS:
        return f"it is loaded as {auto_class}"
    if archive.device.type != "cpu":
        return f"the worker has {archive.device}, and it runs on the CPU here"
    if archive.dtype != torch.float32:
        return f"handler.dtype is {settings.dtype}"
    if settings.torch_compile or settings.device_map:
        return "handler.torch_compile and handler.device_map are torch's"
    if (archive.folder / "adapter_config.json").is_file():
        return "the archive has an adapter, which the ONNX file may be without"
    return None
