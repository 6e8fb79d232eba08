"""Where files land in the archive; and no name is written that the server would refuse."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.manifest import read_manifest

OF_THE_MODEL = {
    "1_Pooling/config.json",
    "MAR-INF/MANIFEST.json",
    "config.json",
    "handler.py",
    "model.safetensors",
    "training.log",
}


def added(spec: ModelArchiveSpec, tmp_path: Path) -> set[str]:
    """What is in the archive besides the model and its handler."""
    built = build_model_archive(spec, tmp_path / "out")
    assert read_manifest(built.mar_path).handler == "handler.py"
    return set(built.members) - OF_THE_MODEL


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("code", {"code/a.py", "code/pkg/__init__.py"}),
        (Path("code"), {"code/a.py", "code/pkg/__init__.py"}),
        ("./code", {"code/a.py", "code/pkg/__init__.py"}),
        ("code/", {"a.py", "pkg/__init__.py"}),
        ("code/.", {"a.py", "pkg/__init__.py"}),
        ("code/pkg", {"pkg/__init__.py"}),
        ("code/pkg/", {"__init__.py"}),
        ("code/pkg/..", {"a.py", "pkg/__init__.py"}),
        ("code/a.py", {"a.py"}),
    ],
)
def test_a_folder_keeps_its_name_or_gives_its_content(
    named: str | Path,
    expected: set[str],
    spec: ModelArchiveSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "code" / "pkg").mkdir(parents=True)
    (tmp_path / "code" / "a.py").write_text("A = 1\n")
    (tmp_path / "code" / "pkg" / "__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert added(replace(spec, extra_files=(named,)), tmp_path) == expected


@pytest.mark.parametrize(
    ("folder", "named"), [("code", "."), ("code", "./"), ("code/pkg", ".."), ("code/pkg", "../")]
)
def test_the_working_directory_and_the_one_above_give_their_content(
    folder: str, named: str, spec: ModelArchiveSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code" / "pkg").mkdir(parents=True)
    (tmp_path / "code" / "h.txt").write_text("h")
    monkeypatch.chdir(tmp_path / folder)
    assert added(replace(spec, extra_files=(named,)), tmp_path) == {"h.txt"}


def test_a_file_with_a_slash_is_refused(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(InputError, match=r"a\.txt/' is not a folder\n  fix: leave its last slash out"):
        build_model_archive(replace(spec, extra_files=(f"{tmp_path}/a.txt/",)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


REFUSED = {
    b"a\\b.txt": r"names that leave the model folder: a\b.txt",
    b"\xff.txt": "names that are no UTF-8: '\\udcff.txt'",
    b"MAR-INF/x.txt": "would land in MAR-INF",
    b"golden-request.json/x.txt": "folders in place of golden-request.json",
    b"/".join([b"d" * 250] * 5): "names of more than 1,024 bytes",
}


@pytest.mark.parametrize(
    ("name", "said"), REFUSED.items(), ids=["backslash", "utf8", "mar-inf", "golden", "long"]
)
@pytest.mark.parametrize("way", ["model_folder", "extra_files", "tokenizer"])
def test_a_name_that_is_refused_when_it_is_read_is_not_written(
    way: str, name: bytes, said: str, spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    folder = spec.model_folder if way == "model_folder" else tmp_path / "other"
    file = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    changed = {
        "model_folder": spec,
        "extra_files": replace(spec, extra_files=(f"{folder}/",)),
        "tokenizer": replace(spec, tokenizer=folder),
    }[way]
    with pytest.raises(InputError) as caught:
        build_model_archive(changed, tmp_path / "out")
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../w.pt", "/w.pt", "1_Pooling/../../w.pt"])
def test_a_serialized_file_outside_the_model_folder(
    name: str, spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    (tmp_path / "w.pt").write_text("w")
    named = str(tmp_path / "w.pt") if name.startswith("/") else name
    with pytest.raises(InputError, match=r"local model file '.*w\.pt' is not in"):
        build_model_archive(replace(spec, local_model_file=named), tmp_path / "out")


def test_the_serialized_file_is_packed_once_however_it_is_named(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    (spec.model_folder / "best").mkdir()
    (spec.model_folder / "best" / "w.safetensors").write_bytes(
        (spec.model_folder / "model.safetensors").read_bytes()
    )
    assert added(replace(spec, local_model_file="./best//w.safetensors"), tmp_path) == {"w.safetensors"}
