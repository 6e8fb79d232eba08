"""`package` as a user runs it, and torch-model-archiver's and TorchServe's own reading of what it makes."""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from testbed.archive_faults import safetensors
from tests.commands import COMMAND, run_command
from tests.model_folders import model_folder, write_handler
from tests.read_only import read_only
from tests.storage_emulator import StorageEmulator


def test_every_option(tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    handler = write_handler(tmp_path)
    for name, text in {
        "requirements.txt": "einops\n",
        "settings.yaml": "minWorkers: 1\nmaxWorkers: 1\n",
        "labels.json": "[]",
        "notes.txt": "",
        "net.py": "class Net: ...\n",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "code" / "pkg").mkdir(parents=True)
    (tmp_path / "code" / "pkg" / "__init__.py").write_text("")
    (tmp_path / "tok").mkdir()
    (tmp_path / "tok" / "vocab.txt").write_text("[PAD]")
    run = run_command(
        "package", str(folder), "--handler", f"{handler}:handle", "--export-path", "out",
        "--model-name", "m", "--version", "3", "--local-model-file", "model.safetensors",
        "--ignore", "*.log", "--ignore", "1_Pooling", "--extra-file", "labels.json",
        "--extra-file", "notes.txt", "--extra-file", "code", "--extra-file", "code/",
        "--requirements-file", "requirements.txt", "--config-file", "settings.yaml", "--tokenizer", "tok",
        "--model-file", "net.py", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    mar = tmp_path / "out" / "m.mar"
    assert result["mar_path"] == "out/m.mar"
    assert result["sha256"] == hashlib.sha256(mar.read_bytes()).hexdigest()
    assert result["size_bytes"] == mar.stat().st_size
    assert result["members"] == [
        "MAR-INF/MANIFEST.json", "code/pkg/__init__.py", "config.json", "handler.py", "labels.json",
        "model.safetensors", "net.py", "notes.txt", "pkg/__init__.py", "requirements.txt", "settings.yaml",
        "vocab.txt",
    ]  # fmt: skip
    with zipfile.ZipFile(mar) as archive:
        assert json.loads(archive.read("MAR-INF/MANIFEST.json"))["model"] == {
            "modelName": "m",
            "serializedFile": "model.safetensors",
            "handler": "handler.py:handle",
            "modelFile": "net.py",
            "modelVersion": "3",
            "requirementsFile": "requirements.txt",
            "configFile": "settings.yaml",
        }
    again = run_command(
        "package",
        str(folder),
        "--handler",
        str(handler),
        "--model-name",
        "m",
        "--export-path",
        "out",
        cwd=tmp_path,
    )
    assert again.returncode == 2
    assert "out/m.mar exists already" in again.stderr


def test_the_short_way_says_what_to_do_next(tmp_path: Path) -> None:
    run = run_command(
        "package",
        str(model_folder(tmp_path)),
        "--handler",
        "huggingface",
        "--export-path",
        "OUT",
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "OUT" / "model.mar").is_file()
    assert "next: vertex-torchserve smoke-test OUT/model.mar" in run.stdout


def test_unmodified_torchserve_loads_it(tmp_path: Path) -> None:
    """With TorchServe's own unpacking rules left to Java's tests, its model loader runs what was packed."""
    run = run_command(
        "package", str(model_folder(tmp_path)), "--handler", str(write_handler(tmp_path)),
        "--export-path", "out", cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(tmp_path / "out" / "model.mar") as archive:
        archive.extractall(tmp_path / "unpacked")
    program = (
        "import sys\n"
        "from ts.model_loader import TsModelLoader\n"
        "service = TsModelLoader().load('model', sys.argv[1], 'handler.py', envelope='json')\n"
        "print(service._entry_point([{'body': {'instances': [1]}}], service.context))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "unpacked")],
        check=True,
        cwd=tmp_path / "unpacked",
        env={"PYTHONPATH": str(tmp_path / "unpacked")},
        capture_output=True,
        text=True,
    )
    assert answer.stdout == '[\'{"predictions": [{"echo": 1}]}\']\n'


def test_everything_from_cloud_storage(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("run/model.safetensors", safetensors())
    storage.put("run/1_Pooling/config.json", "{}")
    storage.put("run/optimizer.pt", "large")
    storage.put("run-2/model.safetensors", "of another run")
    storage.put("code/handler.py", "def handle(data, context): ...\n")
    storage.put("code/labels.json", "[]")
    storage.put("code/pkg/a.txt", "a")
    bucket = f"gs://{storage.bucket}"
    run = run_command(
        "package", f"{bucket}/run", "--handler", f"{bucket}/code/handler.py",
        "--extra-file", f"{bucket}/code/labels.json", "--extra-file", f"{bucket}/code/pkg/",
        "--ignore", "optimizer.pt", "--export-path", "out",
        "--local-model-file", "model.safetensors", "--json",
        cwd=tmp_path, STORAGE_EMULATOR_HOST=storage.url, TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["members"] == [
        "1_Pooling/config.json", "MAR-INF/MANIFEST.json", "a.txt", "handler.py", "labels.json",
        "model.safetensors",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_handler_of_another_server_from_cloud_storage(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("run/model.pth", "weights")
    storage.put("code/inference.py", "def model_fn(model_dir): ...\n")
    bucket = f"gs://{storage.bucket}"
    run = run_command(
        "package", f"{bucket}/run", "--handler", f"sagemaker:{bucket}/code/inference.py", "--json",
        cwd=tmp_path, STORAGE_EMULATOR_HOST=storage.url, TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["handler"] == "sagemaker_adapter.py"
    assert {"inference.py", "model.pth"} <= set(result["members"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "model folder 'nowhere' does not exist"),
        (["empty"], "model folder 'empty' holds no file"),
        (["model", "--local-model-file", "x.pt"], "local model file 'x.pt' is not in model"),
        (["model", "--handler", "broken.py"], "line 1: invalid syntax: 'def handle(:'"),
        (["model", "--model-name", "a b"], "model name 'a b' is refused by torch-model-archiver"),
        (["model", "--extra-file", "other/config.json"], "would both land on 'config.json'"),
        (["model", "--extra-file", "other/config.json/"], "'other/config.json/' is not a folder"),
        (["model", "--vendor-wheels", "./other"], "no requirements whose wheels could be chosen"),
        (["model", "--vendor-wheels", "./wheels"], "vendor_wheels './wheels' is not a folder that exists"),
        (["gs://b"], "'b' is not a bucket's name"),
    ],
)
def test_bad_input_exits_with_2_and_writes_nothing(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    model_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    write_handler(tmp_path, "def handle(:\n", "broken.py")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    run = run_command("package", *arguments, "--export-path", "out", cwd=tmp_path, TMPDIR=str(tmp_path))
    assert run.returncode == 2
    assert expected in run.stderr
    assert "fix: " in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.py", "empty", "model", "other"]


def test_a_storage_endpoint_that_is_down_takes_seconds(tmp_path: Path) -> None:
    run = run_command(
        "package", "gs://my-bucket/run", cwd=tmp_path, STORAGE_EMULATOR_HOST="http://127.0.0.1:9"
    )
    assert run.returncode == 2
    assert "gs://my-bucket/run" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_path_that_is_read_only_is_one_clear_error(tmp_path: Path) -> None:
    folder, handler = model_folder(tmp_path), write_handler(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    with read_only(out):
        for export_path in (out, out / "new"):
            run = run_command(
                "package", str(folder), "--handler", str(handler), "--export-path", str(export_path)
            )
            assert run.returncode == 2
            assert run.stderr.startswith(f"error: can't write {export_path}/model.mar: ")
            assert "Traceback" not in run.stderr


def test_a_temporary_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    folder, handler = model_folder(tmp_path), write_handler(tmp_path)
    program = "import tempfile; tempfile.tempdir = '/nowhere'; from vertex_torchserve.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "package", str(folder), "--handler", str(handler)],
        check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.startswith("error: [Errno 2] No such file or directory: '/nowhere/vts-")
    assert "Traceback" not in run.stderr


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    folder, handler = model_folder(tmp_path), write_handler(tmp_path)
    # Long enough to be met in the middle; a hole takes no space.
    os.truncate(folder / "training.log", 1 << 30)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    out = tmp_path / "out"
    with subprocess.Popen(
        [COMMAND, "package", str(folder), "--handler", str(handler), "--export-path", str(out)],
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not list(out.glob(".model.mar.*.part")):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.terminate()
            assert process.wait(timeout=120) == 143
        finally:
            process.kill()
    assert [*out.iterdir(), *temporary.iterdir()] == []
