"""Wishes for an engine that can't be met, told before any work; and what is said of a failed export."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

REFERENCE: dict[str, Any] = {"handler": "huggingface", "engine": "onnxruntime"}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"engine": "tensorrt"}, "unknown engine 'tensorrt'; accepted: auto, torch, onnxruntime"),
        ({"engine": "onnxruntime"}, "engine 'onnxruntime' is for the reference handler, the handler is "),
        ({**REFERENCE, "quantize": "int4"}, "unknown quantize 'int4'; accepted: int8"),
        ({**REFERENCE, "engine": "auto", "quantize": "int8"}, "int8 is run by onnxruntime alone"),
        ({**REFERENCE, "quantize": "int8"}, "nothing says by how much it may"),
        ({**REFERENCE, "quantize": "int8", "least_cosine": 99.0}, "least cosine is 99.0; accepted: over 0"),
        ({**REFERENCE, "least_agreement": 0.9}, "a least agreement is of int8, which isn't asked for"),
    ],
)  # fmt: skip
def test_the_wish_is_refused(spec: ModelArchiveSpec, tmp_path: Path, wish: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        build_model_archive(replace(spec, **wish), tmp_path / "out")
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


def test_two_places_that_name_an_engine_must_agree(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    config = tmp_path / "model-config.yaml"
    config.write_text("handler: {engine: torch}\n")
    with pytest.raises(InputError) as error:
        build_model_archive(replace(spec, **REFERENCE, config_file=config), tmp_path / "out")
    assert "says engine 'torch', --engine says 'onnxruntime'" in str(error.value)


class Eigenvalues(torch.nn.Module):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = torch.linalg.eigvals(rows).real
        return values


@pytest.mark.filterwarnings("ignore")
def test_a_failed_export_says_which_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vertex_torchserve.packaged_files import packaged_file

    monkeypatch.syspath_prepend(str(packaged_file("handlers/huggingface_handler.py").parent))
    from vertex_torchserve.model_archive.onnx_export.export import reason

    with pytest.raises(Exception) as error:
        torch.onnx.export(Eigenvalues(), (torch.eye(2),), str(tmp_path / "m.onnx"), dynamo=False)
    assert reason(error.value).startswith("operator aten::linalg_eigvals: ")
