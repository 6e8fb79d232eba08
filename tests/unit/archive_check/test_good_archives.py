"""What serves is told to be good: archives of torch-model-archiver's versions, and our own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.archive_faults import SCRIPT, STATE_DICT
from testbed.foreign_archives import FOREIGN_ARCHIVES
from tests.model_folders import model_folder, wheels, write_handler
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive


@pytest.mark.parametrize("make", FOREIGN_ARCHIVES.values(), ids=FOREIGN_ARCHIVES)
def test_an_archive_of_torch_model_archiver(make: Callable[[Path], Path], tmp_path: Path) -> None:
    assert check_path(str(make(tmp_path))).findings == ()


def ours(kind: str, root: Path) -> ModelArchiveSpec:
    """What `package` is given."""
    folder = model_folder(root)
    if kind == "reference":
        (folder / "tokenizer.json").write_text("{}")
        return ModelArchiveSpec(folder, handler="huggingface", task="text-classification")
    handler = write_handler(root)
    if kind == "own":
        golden = root / "golden.json"
        golden.write_text('{"instances": ["a"]}')
        return ModelArchiveSpec(folder, handler=f"{handler}:handle", golden_request=golden)
    requirements = root / "requirements.txt"
    requirements.write_text("plurals==1.0\n")
    if kind == "wheels":
        for name, content in wheels().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return ModelArchiveSpec(folder, handler=str(handler), requirements_file=requirements)
    (folder / "model.safetensors").unlink()
    (folder / "w.pt").write_bytes(SCRIPT if kind == "script" else STATE_DICT)
    model_file = root / "net.py"
    model_file.write_text("import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n")
    return ModelArchiveSpec(
        folder,
        handler="base_handler",
        local_model_file="w.pt",
        model_file=None if kind == "script" else model_file,
    )


@pytest.mark.parametrize("kind", ["reference", "own", "wheels", "script", "eager"])
def test_an_archive_of_ours(kind: str, tmp_path: Path) -> None:
    built = build_model_archive(ours(kind, tmp_path), tmp_path / "out")
    assert check_path(str(built.mar_path)).findings == ()


def test_a_model_folder(tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    (folder / "tokenizer.json").write_text("{}")
    assert check_path(str(folder)).findings == ()
    (folder / "model.safetensors").write_bytes(b"cut")
    (folder / "requirements.txt").write_text("torch==1.0\n")
    found = [(each.rule, each.where) for each in check_path(str(folder)).findings]
    assert found == [
        ("safetensors-whole", "model.safetensors"),
        ("requirements-keep-torch", "requirements.txt:1"),
    ]


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = FOREIGN_ARCHIVES["0.12.0, an eager model"](tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    check_path(str(path))
    assert [each.name for each in tmp_path.iterdir()] == ["b.mar"]
