"""Package a trained model as a TorchServe model archive (.mar): one spec in, one reproducible file out."""

from vertex_torchserve.model_archive.build import BuiltArchive, build_model_archive
from vertex_torchserve.model_archive.spec import ModelArchiveSpec

__all__ = ["BuiltArchive", "ModelArchiveSpec", "build_model_archive"]
