"""A model packaged as ONNX: exported and held against torch in a process of its own, then in the archive."""

import zipfile
from pathlib import Path

import yaml

from testbed.tiny_models import make
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive


def test_int8_and_its_settings_are_in_the_archive_and_what_was_measured_is_told(tmp_path: Path) -> None:
    spec = ModelArchiveSpec(
        make("text-classification", tmp_path / "model"),
        handler="huggingface",
        engine="onnxruntime",
        quantize="int8",
        least_agreement=0.5,
    )
    built = build_model_archive(spec, tmp_path)
    assert {"onnx/model_int8.onnx", "model.safetensors"} <= set(built.members)
    assert "onnx/model.onnx" not in built.members
    with zipfile.ZipFile(built.mar_path) as archive:
        config = yaml.safe_load(archive.read("model-config.yaml"))
    assert config == {"handler": {"engine": "onnxruntime", "onnx_file": "onnx/model_int8.onnx"}}
    near, accuracy, _ = built.measured
    assert near.startswith("onnxruntime: outputs within ")
    assert near.endswith(" lengths of text from 2 to 128 tokens")
    assert accuracy.endswith("over 24 texts; the bound is 0.5")
