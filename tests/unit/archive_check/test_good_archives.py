"""What serves is told to be good: archives of torch-model-archiver's versions, and our own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.archive_faults import SCRIPT, STATE_DICT
from testbed.archives import archive
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


_HANDLE = "def handle(data, context):\n    return data\n"
_CLASS = (
    "class H({base}):\n    def initialize(self, context): ...\n    def handle(self, data, context): ...\n"
)
GOOD_HANDLERS = {
    "caught": f"try:\n    import cv2\nexcept (ImportError, RuntimeError):\n    cv2 = None\n{_HANDLE}",
    "suppressed": f"import contextlib\n\nwith contextlib.suppress(ImportError):\n    import cv2\n{_HANDLE}",
    "for types": f"import typing\n\nif typing.TYPE_CHECKING:\n    import cv2\n{_HANDLE}",
    "for a program": f"{_HANDLE}if __name__ == '__main__':\n    import cv2\n",
    "where it is there": f"import importlib.util as u\nif u.find_spec('cv2'):\n    import cv2\n{_HANDLE}",
    "bound by another name": "from net import answer as handle\n",
    "assigned": f"{_CLASS.format(base='')}class Other: ...\n_h = H()\nhandle = _h.handle\n",
    "one of two": "import torch\nif torch.cuda.is_available():\n    from net import answer as handle\n"
    "else:\n    from net import slow as handle\n",
    "a class": _CLASS.format(base="object"),
    "a class of another module's": "from ts.torch_handler.base_handler import BaseHandler\n\n\n"
    "class H(BaseHandler):\n    pass\n",
    "a package of its own": f"from pkg.inner import answer\nimport pkg.data\n{_HANDLE}",
    "a module of the image": f"import google.cloud.storage, PIL.Image, yaml, ts.context\n{_HANDLE}",
    "rows or instances": "def handle(data, context):\n"
    "    return [row['body'] if isinstance(row, dict) else row for row in data]\n",
    "rows of one of TorchServe's": "from ts.torch_handler.densenet_handler import DenseNetHandler\n\n\n"
    "class H(DenseNetHandler):\n    def preprocess(self, data):\n        return data[0]['body']\n",
    "in Latin-1 as it says": f"# -*- coding: latin-1 -*-\n# \xe9\n{_HANDLE}",
}


def test_a_handler_that_reads_rows_without_an_envelope(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    source = "def handle(data, context):\n    return data and [row['body'] for row in data]\n"
    path.write_bytes(archive(source, config="envelope: none\n"))
    assert check_path(str(path)).findings == ()


def test_a_wheel_that_the_requirements_name(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    files = {"requirements.txt": "./my_words-1.0-py3-none-any.whl\n", "my_words-1.0-py3-none-any.whl": "w"}
    source = f"import my_words\n{_HANDLE}"
    path.write_bytes(archive(source, files=files, requirementsFile="requirements.txt"))
    assert check_path(str(path)).findings == ()


_BESIDE = {
    "net.py": "def answer(data, context): ...\n\n\nslow = answer\n",
    "pkg/__init__.py": "from .inner import answer\n",
    "pkg/inner.py": "from . import data\nfrom ..pkg.data import x\n",
    "pkg/data.py": "x = 1\n",
}


@pytest.mark.parametrize("source", GOOD_HANDLERS.values(), ids=GOOD_HANDLERS)
def test_a_handler_that_is_right(source: str, tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_bytes(archive(files={**_BESIDE, "handler.py": source.encode("latin-1")}))
    assert check_path(str(path)).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "# only a comment\n\n",
        "torch>=2\ntorchserve\nnumpy\n",
        "--extra-index-url https://download.pytorch.org/whl/cpu\ntorchvision==0.28.0\n",
        "einops==0.8.1 \\\n  --hash=sha256:00\nscikit-learn[all]==1.9.1; python_version > '3.8'  # why\n",
        "-c pins.txt\neinops\n./pkg\n-r more.txt\n-e .\n",
    ],
)
def test_requirements_that_are_right(text: str, tmp_path: Path) -> None:
    files = {"r.txt": text, "pins.txt": "", "more.txt": "", "pkg/setup.py": ""}
    path = tmp_path / "model.mar"
    path.write_bytes(archive(files=files, requirementsFile="r.txt"))
    assert check_path(str(path)).findings == ()
