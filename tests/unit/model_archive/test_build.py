"""Archives as files: what is in them, byte for byte."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from testbed.archive_faults import SCRIPT
from testbed.archives import ECHO_HANDLER
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import BuiltArchive, ModelArchiveSpec, build_model_archive


def build(spec: ModelArchiveSpec, tmp_path: Path) -> BuiltArchive:
    return build_model_archive(spec, tmp_path / "out")


def content(built: BuiltArchive) -> dict[str, bytes]:
    with zipfile.ZipFile(built.mar_path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_is_in_under_its_name_and_sub_folders_survive(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    files = content(build(spec, tmp_path))
    assert sorted(files) == [
        "1_Pooling/config.json",
        "MAR-INF/MANIFEST.json",
        "config.json",
        "handler.py",
        "model.safetensors",
        "training.log",
    ]
    assert files["1_Pooling/config.json"] == b'{"pooling_mode_mean_tokens": true}'
    assert files["handler.py"].decode() == ECHO_HANDLER


GOLDEN = '{"instances": ["a"], "predictions": [{"echo": "a"}]}'


def test_a_golden_request_from_elsewhere_or_from_the_model_s_folder(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    golden = tmp_path / "checked by hand.json"
    golden.write_text(GOLDEN)
    files = content(build(replace(spec, golden_request=golden), tmp_path))
    assert files["golden-request.json"] == GOLDEN.encode()
    assert "checked by hand.json" not in files
    golden.rename(spec.model_folder / "golden-request.json")
    built = build_model_archive(spec, tmp_path / "other")
    assert content(built) == files


def serialized_file(built: BuiltArchive) -> str | None:
    name: str | None = json.loads(content(built)["MAR-INF/MANIFEST.json"])["model"].get("serializedFile")
    return name


@pytest.mark.parametrize("name", ["vad.jit", "m.ts", "m.torchscript", "m.pt2", "weights"])
def test_one_file_that_can_be_the_model_is_it(spec: ModelArchiveSpec, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / name).write_text("a program")
    built = build(replace(spec, model_folder=folder), tmp_path)
    assert serialized_file(built) == name
    assert name in built.members


def test_a_handler_file_may_need_no_serialized_file(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (spec.model_folder / "model.safetensors").unlink()
    assert serialized_file(build(spec, tmp_path)) is None
    with pytest.raises(InputError, match=r"which file of .* is the serialized model"):
        build_model_archive(replace(spec, handler="base_handler"), tmp_path / "other")


def test_requirements_in_the_model_s_folder_are_installed(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (spec.model_folder / "requirements.txt").write_text("einops\n")
    manifest = json.loads(content(build(spec, tmp_path))["MAR-INF/MANIFEST.json"])
    assert manifest["model"]["requirementsFile"] == "requirements.txt"
    left_out = build_model_archive(replace(spec, ignore=("requirements.txt",)), tmp_path / "without")
    assert "requirementsFile" not in json.loads(content(left_out)["MAR-INF/MANIFEST.json"])["model"]


def test_the_manifest_is_torch_model_archivers(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("einops\n")
    config = tmp_path / "model-config.yaml"
    config.write_text("minWorkers: 1\n")
    spec = replace(spec, model_name="m-1", version="2.0", requirements_file=requirements, config_file=config)
    built = build(spec, tmp_path)
    assert built.mar_path == tmp_path / "out" / "m-1.mar"
    assert json.loads(content(built)["MAR-INF/MANIFEST.json"]) == {
        "createdOn": "01/01/1980 00:00:00",
        "runtime": "python",
        "model": {
            "modelName": "m-1",
            "serializedFile": "model.safetensors",
            "handler": "handler.py",
            "modelVersion": "2.0",
            "requirementsFile": "requirements.txt",
            "configFile": "model-config.yaml",
        },
        "archiverVersion": "0.12.0",
    }


def test_same_input_gives_the_same_bytes_and_they_are_stored(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    first = build(spec, tmp_path)
    (spec.model_folder / "config.json").touch()
    second = build_model_archive(spec, tmp_path / "again")
    assert first.mar_path.read_bytes() == second.mar_path.read_bytes()
    assert first.sha256 == second.sha256
    with zipfile.ZipFile(first.mar_path) as archive:
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            # Java's ZipInputStream can't read a stored entry whose size follows its data.
            assert not info.flag_bits & 0x08


def test_ignored_names_stay_out_but_never_the_serialized_file(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    files = content(build(replace(spec, ignore=("*.log", "1_*", "model.safetensors")), tmp_path))
    assert sorted(files) == ["MAR-INF/MANIFEST.json", "config.json", "handler.py", "model.safetensors"]


def test_left_overs_and_hidden_folders_stay_out(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    for name in ("__pycache__/x.pyc", ".git/HEAD", ".ipynb_checkpoints/a", "__MACOSX/b", "old.mar"):
        (spec.model_folder / name).parent.mkdir(exist_ok=True)
        (spec.model_folder / name).write_text("left over")
    assert len(content(build(spec, tmp_path))) == 6


def test_links_are_followed_as_in_a_hub_cache(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_text("linked")
    (spec.model_folder / "vocab.txt").symlink_to(blob)
    (spec.model_folder / "loop").symlink_to(spec.model_folder)
    assert content(build(spec, tmp_path))["vocab.txt"] == b"linked"


def test_extra_files_and_folders_tokenizer_and_serialized_file_in_a_sub_folder(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    extra = tmp_path / "labels.json"
    extra.write_text("[]")
    package = tmp_path / "preprocessing"
    package.mkdir()
    (package / "__init__.py").write_text("")
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "vocab.txt").write_text("[PAD]")
    weights = spec.model_folder / "checkpoints" / "best.pt"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    spec = replace(
        spec, extra_files=(extra, package), tokenizer=tokenizer, local_model_file="checkpoints/best.pt"
    )
    files = content(build(spec, tmp_path))
    assert {"labels.json", "preprocessing/__init__.py", "vocab.txt", "best.pt"} <= set(files)
    assert "checkpoints/best.pt" not in files


HANDLERS = Path(__file__).parents[3] / "handlers"


def test_handlers_by_name(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    reference = build(replace(spec, handler="huggingface"), tmp_path)
    assert reference.handler == "huggingface_handler.py"
    files = content(reference)
    assert files["huggingface_handler.py"].startswith(b'"""TorchServe handler for Hugging Face')
    checkout = HANDLERS / "hf_handler"
    package = {file.relative_to(HANDLERS).as_posix() for file in checkout.rglob("*.py")}
    assert {"hf_handler/__init__.py", "hf_handler/tasks/fill_mask.py"} < package
    assert {name for name in files if name.startswith("hf_handler/")} == package
    (spec.model_folder / "model.safetensors").unlink()
    (spec.model_folder / "w.pt").write_bytes(SCRIPT)
    stock = build_model_archive(replace(spec, handler="base_handler"), tmp_path / "stock")
    assert stock.handler == "base_handler"
    assert not [name for name in content(stock) if name.endswith(".py")]


def test_a_model_config_at_the_root_is_used(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (spec.model_folder / "model-config.yaml").write_text("batchSize: 4\n")
    manifest = json.loads(content(build(spec, tmp_path))["MAR-INF/MANIFEST.json"])
    assert manifest["model"]["configFile"] == "model-config.yaml"


def test_an_archive_is_replaced_only_by_force(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    built = build(spec, tmp_path)
    before = built.mar_path.read_bytes()
    (spec.model_folder / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"model\.mar exists already\n  fix: use --force"):
        build(spec, tmp_path)
    assert built.mar_path.read_bytes() == before
    build_model_archive(spec, tmp_path / "out", force=True)
    assert built.mar_path.read_bytes() != before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.mar"]


def test_a_failed_write_leaves_nothing_behind(
    spec: ModelArchiveSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    log = spec.model_folder / "training.log"
    log.unlink()
    # A file that can be opened but not read: the kernel's own, whatever the user's rights.
    log.symlink_to("/proc/self/mem")
    with pytest.raises(InputError, match=r"can't read .*training\.log: Input/output error"):
        build(spec, tmp_path)
    assert list((tmp_path / "out").iterdir()) == []


def config_of(built: BuiltArchive) -> object:
    files = content(built)
    name = json.loads(files["MAR-INF/MANIFEST.json"])["model"]["configFile"]
    return yaml.safe_load(files[name])


def test_the_task_goes_into_the_model_config(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    spec = replace(spec, handler="huggingface", task="summarization")
    assert config_of(build(spec, tmp_path)) == {"handler": {"task": "summarization"}}
    given = tmp_path / "settings.yaml"
    given.write_text("minWorkers: 2\nhandler:\n  dtype: float32\n")
    merged = {"minWorkers": 2, "handler": {"dtype": "float32", "task": "translation_en_to_de"}}
    spec = replace(spec, task="translation_en_to_de")
    built = build_model_archive(replace(spec, config_file=given), tmp_path / "given")
    assert config_of(built) == merged
    assert "model-config.yaml" not in built.members
    given.rename(spec.model_folder / "model-config.yaml")
    assert config_of(build_model_archive(spec, tmp_path / "own")) == merged
