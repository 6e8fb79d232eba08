"""What packaging exports a model with: the same bytes each time, and models that it refuses."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from testbed.tiny_models import make


def made(folder: Path, work: Path, **wish: Any) -> Any:
    from vertex_torchserve.model_archive.onnx_export.program import made

    work.mkdir(parents=True)
    request = {"folder": str(folder), "manifest": {}, "settings": {}, "engine": "onnxruntime"}
    return made({**request, "int8": False, "bounds": {}, **wish}, work)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedder with its ONNX file."""
    folder = tmp_path_factory.mktemp("exported")
    model = make("sentence-embeddings", folder / "model")
    answer = made(model, folder / "work")
    assert list(answer["files"]) == ["onnx/model.onnx"]
    again = made(model, folder / "again")
    assert Path(answer["files"]["onnx/model.onnx"]).read_bytes() == (
        Path(again["files"]["onnx/model.onnx"]).read_bytes()
    )
    shutil.copy(answer["files"]["onnx/model.onnx"], model)
    return model


def test_a_file_that_is_there_is_held_against_torch_and_kept(exported: Path, tmp_path: Path) -> None:
    answer = made(exported, tmp_path / "work")
    assert answer["files"] == {}
    assert answer["report"][0].startswith("onnxruntime: outputs within ")


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"cosine": 1.0}, "int8 is below its bound: least cosine 0.9"),
        ({"agreement": 0.5}, "the accuracy of int8 in sentence-embeddings is its least cosine, 0.9"),
    ],
)
def test_int8_that_is_too_far_away(
    exported: Path, tmp_path: Path, bounds: dict[str, float], said: str
) -> None:
    level = logging.getLogger().level
    with pytest.raises(Exception, match="int8") as error:
        made(exported, tmp_path / "work", int8=True, bounds=bounds)
    assert str(error.value).startswith(said)
    assert logging.getLogger().level == level  # what else this process logs is not lost


def test_the_file_of_another_model(exported: Path, tmp_path: Path) -> None:
    other = make("sentence-embeddings", tmp_path / "other", seed=1)
    shutil.copy(exported / "model.onnx", other)
    with pytest.raises(Exception, match=r"^model\.onnx gives something else than torch: outputs differ by "):
        made(other, tmp_path / "work")


def test_a_model_of_another_kind(tmp_path: Path) -> None:
    folder = make("text-generation-gpt2", tmp_path / "model")
    with pytest.raises(Exception, match=r"^engine onnxruntime runs encoders, and text-generation "):
        made(folder, tmp_path / "work")


def test_without_weights_there_is_nothing_to_hold_it_against(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(exported, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(Exception, match=r"^the model folder has no weights that torch can load"):
        made(folder, tmp_path / "work")
