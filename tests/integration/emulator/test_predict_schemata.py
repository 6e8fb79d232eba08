"""The schemas of the reference handler, beside the archive in storage and named by the version."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage

from testbed.archive_faults import safetensors
from testbed.archives import rewrite_archive
from testbed.tiny_models import make
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, register_archive
from vertex_torchserve.vertex_ai.predict_schemata import as_openapi, predict_schemata

UPLOAD = ModelUpload(
    project="my-project",
    location="us-central1",
    display_name="zero shot",
)
CONTAINER = ContainerSpec(
    "us-central1-docker.pkg.dev/p/serving/torchserve-cpu:1", predict_route="/predictions/model"
)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelArchiveSpec:
    folder = make("zero-shot-classification-bert", tmp_path_factory.mktemp("model") / "model")
    return ModelArchiveSpec(folder, handler="huggingface", task="zero-shot-classification")


@pytest.mark.usefixtures("vertex")
def test_published_and_shown(
    spec: ModelArchiveSpec, tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in emulator.environment().items():
        monkeypatch.setenv(variable, value)
    mar = build_model_archive(spec, tmp_path).mar_path
    bucket = storage.Client("my-project", AnonymousCredentials()).bucket("models")
    registered = register_archive(
        ServingPlan.of(mar, CONTAINER), GcsPath.parse("gs://models/archives"), UPLOAD
    )
    shown = aiplatform.Model(registered.resource_name).predict_schemata
    folder = f"{registered.artifact_uri.rstrip('/')}-schemata"
    assert shown.instance_schema_uri == f"{folder}/instance.yaml"
    assert shown.parameters_schema_uri == f"{folder}/parameters.yaml"
    assert shown.prediction_schema_uri == f"{folder}/prediction.yaml"
    kept = [
        blob.name
        for blob in bucket.list_blobs(prefix=registered.artifact_uri.removeprefix("gs://models/") + "/")
    ]
    assert len(kept) == 1
    name = shown.prediction_schema_uri.removeprefix("gs://models/")
    one = {
        "type": "object",
        "properties": {
            "sequence": {"type": "string"},
            "labels": {"type": "array", "items": {"type": "string"}},
            "scores": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["sequence", "labels", "scores"],
        "additionalProperties": False,
    }
    assert yaml.safe_load(bucket.blob(name).download_as_text()) == {
        "anyOf": [one, {"type": "array", "items": one}]
    }
    again = register_archive(ServingPlan.of(mar, CONTAINER), GcsPath.parse("gs://models/archives"), UPLOAD)
    assert again.already_registered


def test_nobody_else_s_handler_is_run(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    handler = tmp_path / "huggingface_handler.py"
    handler.write_text("raise SystemExit('this ran')\n\ndef handle(data, context): ...\n")
    other = replace(spec, handler=str(handler), task=None)
    assert predict_schemata(build_model_archive(other, tmp_path / "out").mar_path) == {}


@pytest.mark.parametrize("member", ["hf_handler/tasks/fill_mask.py", "hf_handler/more.py"])
def test_a_package_with_one_file_changed_or_added_is_somebody_else_s(
    spec: ModelArchiveSpec, tmp_path: Path, member: str
) -> None:
    mar = build_model_archive(spec, tmp_path).mar_path
    assert set(predict_schemata(mar)) == {"instance", "parameters", "prediction"}
    changed = tmp_path / "changed.mar"
    with zipfile.ZipFile(mar) as packed:
        content = packed.read(member) if member in packed.namelist() else b""
    rewrite_archive(mar, changed, {member: content + b"\n"})
    assert predict_schemata(changed) == {}


def test_a_folder_that_tells_no_task_is_a_warning(
    tmp_path: Path, spec: ModelArchiveSpec, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["NobodyKnows"]}')
    (folder / "model.safetensors").write_bytes(safetensors())
    mar = build_model_archive(ModelArchiveSpec(folder, handler="huggingface"), tmp_path / "out").mar_path
    assert predict_schemata(mar) == {}
    assert "the model tells no task" in caplog.text


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": None},
            {"type": "integer", "minimum": 1, "nullable": True, "default": None},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "number"},
                    {"type": "object", "nullable": True, "enum": [None]},
                ]
            },
        ),
        (
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        ),
        (
            {"properties": {"b64": {"type": "string", "contentEncoding": "base64"}}},
            {"properties": {"b64": {"type": "string", "format": "byte"}}},
        ),
        (
            {"items": {"anyOf": [{"type": "null"}, {"type": "object"}]}, "additionalProperties": False},
            {"items": {"type": "object", "nullable": True}, "additionalProperties": False},
        ),
        ({"properties": {"exclusiveMinimum": {}}}, {"properties": {"exclusiveMinimum": {}}}),
        (
            {"patternProperties": {"^(one|other)$": {"properties": {"no": False}}}},
            {
                "properties": {
                    "one": {"properties": {"no": {"not": {}}}},
                    "other": {"properties": {"no": {"not": {}}}},
                }
            },
        ),
    ],
)
def test_json_schema_as_openapi(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert as_openapi(schema) == expected
