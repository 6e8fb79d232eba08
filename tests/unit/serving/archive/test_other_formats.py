"""Archives as torch-model-archiver writes them with `--archive-format tgz` and `no-archive`."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.store import fetch_archive
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.settings import ServingSettings

MANIFEST = json.dumps({"runtime": "python", "model": {"modelName": "bert", "handler": "handler.py"}})
FILES = {"MAR-INF/MANIFEST.json": MANIFEST, "handler.py": "x = 1", "words/en.txt": "yes"}


def tar_of(files: dict[str, str], *others: tarfile.TarInfo) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
        for other in others:
            archive.addfile(other)
    return content.getvalue()


def in_its_folder(files: dict[str, str]) -> dict[str, str]:
    return {f"bert/{name}": text for name, text in files.items()}


def fetched(store: Path, target: Path, **environment: str) -> ModelFolder:
    return fetch_archive(
        ServingSettings.from_environment({"AIP_STORAGE_URI": str(store), **environment}), target
    )


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["bert.tar.gz", "bert.tgz"])
def test_a_tar_is_unpacked(store: Path, tmp_path: Path, name: str) -> None:
    (store / name).write_bytes(tar_of(in_its_folder(FILES)))
    model = fetched(store, tmp_path / "model", MODEL_NAME="bert")
    assert texts(model.path) == FILES
    assert model.manifest.model_name == "bert"
    assert model.unpacked_bytes == sum(map(len, FILES.values()))


@pytest.mark.parametrize("where", ["", "bert"])
def test_a_folder_is_served_as_it_is_and_never_written_to(store: Path, tmp_path: Path, where: str) -> None:
    for name, text in FILES.items():
        (store / where / name).parent.mkdir(parents=True, exist_ok=True)
        (store / where / name).write_text(text)
    model = fetched(store, tmp_path / "model")
    assert texts(model.path) == FILES
    (model.path / "MAR-INF/MANIFEST.json").write_text("changed")
    assert texts(store / where) == FILES


def link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar_of(in_its_folder({**FILES, "../../x": "1"})), "names that leave the model folder"),
        (tar_of(in_its_folder(FILES), link("bert/l")), "holds links, of which only files are accepted: l"),
        (tar_of(in_its_folder({"handler.py": "x = 1"})), "has no MAR-INF/MANIFEST.json"),
        (tar_of(in_its_folder({"MAR-INF/MANIFEST.json": MANIFEST})), "names handler 'handler.py'"),
        (tar_of(in_its_folder(FILES))[:-20], "is not a model archive"),
        (tar_of(in_its_folder(FILES))[:-5] + b"12345", "is not a model archive"),
        (b"no gzip at all", "is not a model archive"),
    ],
    ids=["name", "link", "no-manifest", "no-handler", "cut", "checksum", "no-gzip"],
)
def test_a_tar_that_can_not_be_served(store: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (store / "bert.tar.gz").write_bytes(content)
    with pytest.raises(InputError) as caught:
        fetched(store, tmp_path / "model")
    assert message in caught.value.problems[0].message
