"""Requests of another task are bad input to whatever would ask them, before anything starts."""

import json
import zipfile
from pathlib import Path

import pytest
from kfp import dsl

from testbed.archive_faults import safetensors
from testbed.archives import rewrite_archive
from tests.commands import run_command
from vertex_torchserve.component.gate import Outputs, prove
from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.handler_interface.asking import UntoldError, ask_handler
from vertex_torchserve.handler_interface.requirement import require_answerable
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload
from vertex_torchserve.vertex_ai.registration import UploadCall

PICTURE = {"b64": "aGVsbG8="}
REFUSED = "text must be a string, or a list of length at least 1, got a file"
FIX = 'this archive\'s task is text-classification: give instances such as "good movie"'


@pytest.fixture(scope="module")
def mar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text classifier without weights: whoever serves it fails otherwise."""
    folder = tmp_path_factory.mktemp("classifier")
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["BertForSequenceClassification"]}')
    (model / "model.safetensors").write_bytes(safetensors())
    return build_model_archive(ModelArchiveSpec(model, handler="huggingface"), folder).mar_path


@pytest.fixture
def with_golden_picture(mar: Path, tmp_path: Path) -> Path:
    target = tmp_path / "model.mar"
    rewrite_archive(mar, target, {"golden-request.json": json.dumps({"instances": [PICTURE]}).encode()})
    return target


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["smoke-test", "model.mar", "--instances", "i.json"], f"instance 0: {REFUSED}"),
        (["golden", "record", "model.mar", "--instances", "i.json"], f"i.json: instance 0: {REFUSED}"),
        (["golden", "replay", "model.mar", "--golden-request", "g.json"], "predictions[0] must be an object"),
        (["golden", "diff", "model.mar", "model.mar", "--instances", "i.json"], f"instance 0: {REFUSED}"),
    ],
)
def test_the_commands(mar: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "model.mar").symlink_to(mar)
    (tmp_path / "i.json").write_text(json.dumps([PICTURE]))
    (tmp_path / "g.json").write_text('{"instances": ["a"], "predictions": [[0.1]]}')
    run = run_command(*arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stderr
    assert said in run.stderr
    assert FIX in run.stderr


def test_the_gate(mar: Path, with_golden_picture: Path, tmp_path: Path) -> None:
    outputs = Outputs(dsl.HTML(uri=str(tmp_path / "report")), dsl.Metrics(uri=str(tmp_path / "metrics")))
    with pytest.raises(InputError, match=r"golden-request\.json: instance 0: text must be"):
        prove(ServingPlan.of(with_golden_picture), None, outputs)
    with pytest.raises(InputError, match="parameters: unknown parameters: labels"):
        prove(ServingPlan.of(mar), RequestFile([PredictionRequest(["a"], {"labels": ["x"]})]), outputs)


def test_the_upload(with_golden_picture: Path) -> None:
    upload = ModelUpload(project="my-project", location="us-central1", display_name="m")
    with pytest.raises(InputError, match=r"golden-request\.json: instance 0: text must be"):
        UploadCall.of(
            ServingPlan.of(with_golden_picture, ContainerSpec("image")),
            GcsPath.parse("gs://bucket/archives"),
            upload,
        )


def test_an_archive_that_can_t_tell_is_left_to_the_server(mar: Path, tmp_path: Path) -> None:
    asked = [PredictionRequest([PICTURE])]
    untold = tmp_path / "model.mar"
    rewrite_archive(mar, untold, {"config.json": b'{"architectures": ["NobodyKnows"]}'})
    require_answerable(untold, asked, "asked")
    with pytest.raises(UntoldError, match="the model tells no task"):
        ask_handler(untold)
    with zipfile.ZipFile(mar) as archive:
        begin = archive.getinfo("config.json").header_offset + 30 + len("config.json")
    content = bytearray(mar.read_bytes())
    content[begin] ^= 1
    untold.write_bytes(content)
    require_answerable(untold, asked, "asked")
    with pytest.raises(UntoldError, match=r"model\.mar can't be read"):
        ask_handler(untold)
    rewrite_archive(mar, untold, {"hf_handler/tasks/fill_mask.py": b"# changed"})
    assert ask_handler(untold) is None
    require_answerable(untold, asked, "asked")
