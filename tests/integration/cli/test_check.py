"""`vertex-torchserve check` as a user runs it: what it prints, its exit code, and gs://."""

import json
from pathlib import Path

from testbed.archive_faults import safetensors
from testbed.archives import archive
from tests.commands import run_command
from tests.model_folders import model_folder
from tests.storage_emulator import StorageEmulator

_BAD = archive("import sibling\n\n\nclass A: ...\n\n\nclass B: ...\n", config="batch_size: 1\n")


def test_findings_are_told_and_exit_with_1(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_bytes(_BAD)
    answer = run_command("check", str(path))
    assert answer.returncode == 1
    assert answer.stdout.startswith(
        "error handler.py (handler-entry-point)\n"
        "  handler handler.py defines 2 classes (A, B) and no `handle`; TorchServe accepts a function "
        "`handle(data, context)` or exactly one class\n"
        "  fix: add a module-level `handle`, or move the other classes to a file of their own\n"
        "error handler.py:1 (handler-imports)\n"
    )
    assert "warning model-config.yaml (config-keys-known)\n  'batch_size' is no key" in answer.stdout
    assert len(answer.stdout.splitlines()) == 9
    said = json.loads(run_command("check", str(path), "--json").stdout)
    assert not said["ok"]
    assert said["findings"][1] == {
        "rule": "handler-imports",
        "severity": "error",
        "where": "handler.py:1",
        "message": "imports sibling, which is not in the archive, the serving image or the requirements",
        "fix": "when it is a file of yours, put sibling.py into the archive (`--extra-file`); when it is a "
        "package, name it in the requirements",
    }


def test_a_good_archive_exits_with_0_and_what_can_not_be_read_with_2(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_bytes(archive())
    answer = run_command("check", str(path))
    assert (answer.returncode, answer.stdout) == (0, f"nothing found in {path}\n")
    answer = run_command("check", str(tmp_path / "nowhere"))
    assert answer.returncode == 2
    assert (
        "nowhere does not exist; a .mar, a .tar.gz, an unpacked archive or a model folder is accepted"
        in answer.stderr
    )


def test_the_gpu_image_has_a_list_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    source = "import triton\n\n\ndef handle(data, context):\n    return data\n"
    requirements = {"requirements.txt": "torchvision==0.28.0\n"}
    path.write_bytes(archive(source, files=requirements, requirementsFile="requirements.txt"))
    found = {}
    for image in ("cpu", "gpu"):
        said = json.loads(run_command("check", str(path), "--image", image, "--json").stdout)
        found[said["image"]] = [(each["rule"], each["fix"]) for each in said["findings"]]
    own_index = (
        "add the line `--extra-index-url https://download.pytorch.org/whl/{}`, and pin the version that "
    )
    companions = ("torch-companions-from-its-index", f"{own_index}belongs to torch 2.13.0")
    assert found["the GPU image"] == [(companions[0], companions[1].format("cu126"))]
    assert [rule for rule, _ in found["the serving image"]] == ["handler-imports", companions[0]]
    assert found["the serving image"][1][1] == companions[1].format("cpu")


def test_what_lies_in_a_bucket(storage: StorageEmulator, tmp_path: Path) -> None:
    storage.put("a/model.mar", archive(files={"w.safetensors": safetensors(cut=1)}))
    folder = model_folder(tmp_path)
    for file in (each for each in folder.rglob("*") if each.is_file()):
        storage.put(f"run/{file.relative_to(folder)}", file.read_bytes())
    storage.put("run/requirements.txt", b"torch==1.0\n")
    places = []
    for path in ("a/model.mar", "run"):
        answer = run_command("check", f"gs://{storage.bucket}/{path}", "--json")
        assert answer.returncode == 1
        places.append([(each["rule"], each["where"]) for each in json.loads(answer.stdout)["findings"]])
    assert places == [
        [("safetensors-whole", "w.safetensors")],
        [("requirements-keep-torch", "requirements.txt:1")],
    ]
    answer = run_command("check", f"gs://{storage.bucket}/nothing")
    assert answer.returncode == 2
