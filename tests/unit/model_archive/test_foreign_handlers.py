"""Handlers of other servers: their spelling, their place in the archive, and what belongs to them."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from testbed.archive_faults import safetensors
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

ENDPOINT = "class EndpointHandler:\n    def __init__(self, path): ...\n    def __call__(self, data): ...\n"
SAGEMAKER = "def model_fn(model_dir):\n    return None\n"
ADAPTER = {
    "foreign_handler/__init__.py", "foreign_handler/calls.py", "foreign_handler/hub_classes.py",
    "foreign_handler/loading.py", "foreign_handler/media_types.py", "foreign_handler/pytorch_defaults.py",
    "foreign_handler/sagemaker_functions.py", "foreign_handler/sagemaker_request.py",
    "foreign_handler/transformers_defaults.py", "foreign_handler/values.py", "foreign_handler/waiting.py",
}  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A folder of the Hub with a handler of its own."""
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (folder / "model.safetensors").write_bytes(safetensors())
    (folder / "handler.py").write_text(ENDPOINT)
    (folder / "requirements.txt").write_text("einops==0.8.1\n")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What a model.tar.gz of SageMaker holds."""
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "model.pth").write_bytes(b"weights")
    (folder / "code" / "inference.py").write_text(f"import beside\n{SAGEMAKER}")
    (folder / "code" / "beside.py").write_text("")
    (folder / "code" / "requirements.txt").write_text("einops==0.8.1\n")
    return folder


def built(
    tmp_path: Path, folder: Path, handler: str, **others: object
) -> tuple[set[str], dict[str, str], object]:
    """The names of the members but the adapter's package, what the manifest says, the model config."""
    spec = replace(ModelArchiveSpec(folder, handler=handler), **others)  # type: ignore[arg-type]
    with zipfile.ZipFile(build_model_archive(spec, tmp_path / "out").mar_path) as archive:
        names = set(archive.namelist()) - {"MAR-INF/MANIFEST.json"}
        assert names >= ADAPTER
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))["model"]
        return names - ADAPTER, manifest, yaml.safe_load(archive.read(manifest["configFile"]))


def test_a_hub_folder_s_own_handler(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where no handler.py is: the one in the folder is meant
    names, manifest, config = built(tmp_path, hub, "endpoint:handler.py")
    assert names == {
        "config.json", "endpoint_adapter.py", "handler.py", "model-config.yaml", "model.safetensors",
        "requirements.txt",
    }  # fmt: skip
    assert (manifest["handler"], manifest["requirementsFile"]) == ("endpoint_adapter.py", "requirements.txt")
    assert config == {"handler": {"file": "handler.py"}}


def test_a_handler_from_elsewhere_goes_to_the_root(model: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine" / "serve v2.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(SAGEMAKER)
    names, manifest, config = built(tmp_path, model, f"sagemaker:{elsewhere}")
    assert "serve v2.py" in names
    assert config == {"handler": {"file": "serve v2.py"}}
    assert "requirementsFile" not in manifest


@pytest.mark.parametrize("named", ["code/inference.py", "model/code/inference.py"])
def test_sagemaker_s_folder_keeps_its_places_and_its_requirements_are_installed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    names, manifest, config = built(tmp_path, model, f"sagemaker:{named}")
    assert names == {
        "code/beside.py", "code/inference.py", "code/requirements.txt", "model-config.yaml", "model.pth",
        "requirements.txt", "sagemaker_adapter.py",
    }  # fmt: skip
    assert manifest["handler"] == "sagemaker_adapter.py"
    assert (manifest["serializedFile"], manifest["requirementsFile"]) == ("model.pth", "requirements.txt")
    assert config == {"handler": {"file": "code/inference.py"}}


def test_requirements_that_are_named_come_first(model: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("einops==0.8.0\n")
    names, manifest, _ = built(tmp_path, model, "sagemaker:code/inference.py", requirements_file=own)
    assert manifest["requirementsFile"] == "own.txt"
    assert "requirements.txt" not in names


def test_several_files_of_weights_are_the_handler_s_own_affair(model: Path, tmp_path: Path) -> None:
    (model / "decoder.pth").write_bytes(b"weights")
    names, manifest, _ = built(tmp_path, model, "sagemaker:code/inference.py")
    assert {"model.pth", "decoder.pth"} <= names
    assert "serializedFile" not in manifest


def test_links_of_a_hub_cache_are_in_the_folder(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "blob").write_text(ENDPOINT)
    (hub / "handler.py").unlink()
    (hub / "handler.py").symlink_to(tmp_path / "blob")
    _, _, config = built(tmp_path, hub, f"endpoint:{hub}/handler.py")
    assert config == {"handler": {"file": "handler.py"}}


def test_what_the_model_s_own_config_says_stays(hub: Path, tmp_path: Path) -> None:
    (hub / "model-config.yaml").write_text("batchSize: 4\nhandler: {toolkit: pytorch}\n")
    _, _, config = built(tmp_path, hub, "endpoint:handler.py")
    assert config == {"batchSize": 4, "handler": {"toolkit": "pytorch", "file": "handler.py"}}


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("endpoint:other.py", "handler 'endpoint:other.py' names no Python file that exists, here or in"),
        ("sagemaker:config.json", "handler 'sagemaker:config.json' names no Python file that exists"),
        ("endpoint:", "handler 'endpoint:' names no Python file that exists"),
        (
            "endpoint.py",
            "accepted are a .py file (or FILE.py:FUNCTION), `endpoint:FILE.py` or `sagemaker:FILE.py`",
        ),
        ("sagemaker:handler.py", "handler.py defines none of model_fn, input_fn, predict_fn, output_fn"),
        (
            "huggingface",
            "package with `--handler endpoint:handler.py`, which runs its EndpointHandler, or leave",
        ),
        ("handler.py", "package it with `--handler endpoint:handler.py` when it is one of Hugging Face"),
    ],
)
def test_what_is_refused(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handler: str, said: str
) -> None:
    monkeypatch.chdir(hub)
    with pytest.raises(InputError) as caught:
        build_model_archive(ModelArchiveSpec(hub, handler=handler), tmp_path / "out")
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_config_that_names_another_file(hub: Path, tmp_path: Path) -> None:
    (hub / "model-config.yaml").write_text("handler: {file: other.py}\n")
    with pytest.raises(InputError, match=r"says file 'other\.py', --handler says 'handler\.py'"):
        build_model_archive(ModelArchiveSpec(hub, handler="endpoint:handler.py"), tmp_path / "out")


def test_a_task_is_for_the_reference_handler(hub: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="task 'ner' is for the reference handler, the handler is 'endpoint:"
    ):
        build_model_archive(
            ModelArchiveSpec(hub, handler="endpoint:handler.py", task="ner"), tmp_path / "out"
        )


def test_the_reference_handler_takes_the_folder_without_its_handler(hub: Path, tmp_path: Path) -> None:
    (hub / "tokenizer.json").write_text("{}")
    spec = ModelArchiveSpec(hub, handler="huggingface", ignore=("handler.py",))
    assert "handler.py" not in build_model_archive(spec, tmp_path / "out").members
