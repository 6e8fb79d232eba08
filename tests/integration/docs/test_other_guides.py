"""The shell blocks of component/README.md, docs/emulator.md and docs/migrate.md, as far as they can run."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest

from scripts import adapter_table
from testbed.adapted_handler import write_model_folder
from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS
from testbed.foreign_handlers import ENDPOINT_CASES, SAGEMAKER_CASES
from tests.documents import ROOT, blocks
from tests.emulator_command import running


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment with this Python's programs first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_the_emulator_s_guide(environment: dict[str, str], tmp_path: Path) -> None:
    [block] = blocks("docs/emulator.md", "sh")
    with running(
        ["bash", "-euo", "pipefail", "-c", f"exec {block}"], environment=environment, cwd=tmp_path
    ) as emulator:
        assert list(emulator.environment) == ["STORAGE_EMULATOR_HOST", "VERTEX_AI_EMULATOR_HOST"]
        storage_host = emulator.environment["STORAGE_EMULATOR_HOST"]
        bucket = httpx.get(f"{storage_host}/storage/v1/b/my-bucket", timeout=ANSWER_SECONDS).json()
        assert bucket["name"] == "my-bucket"
        assert (tmp_path / ".emulator" / "storage").is_dir()
        emulator.end(signal.SIGTERM)
    assert emulator.process.returncode == 0


def test_the_component_is_compiled_for_an_image_of_one_s_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Its last line; building and pushing the images, the ones before, need an engine and a registry."""
    [block] = blocks("component/README.md", "sh")
    name, build_base, build, compile_it = block.splitlines()
    assert build_base.startswith("vertex-torchserve images build cpu ")
    assert build == 'vertex-torchserve images build component --tag "$IMAGE" --push'
    shutil.copytree(ROOT / "component", tmp_path / "component")
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    # This Python has what `make setup` would install.
    compile_it = compile_it.replace("make ", "make --assume-old=.venv/.installed ")
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{name}\n{compile_it}"],
        cwd=tmp_path, env=environment, check=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    compiled = (tmp_path / "component" / "component.yaml").read_text()
    assert f"image: {name.removeprefix('IMAGE=')}\n" in compiled


def test_the_guides_from_elsewhere(environment: dict[str, str], tmp_path: Path) -> None:
    """Archive, Hub folder and model.tar.gz are there, as their owner has them."""
    write_archive(tmp_path).rename(tmp_path / "old.mar")
    write_archive(tmp_path)
    write_model_folder(ENDPOINT_CASES[0], tmp_path / "HUB_FOLDER")
    for name in ("MODEL_FOLDER/model.pt", "my_handler.py", "parts/net.py", "data/labels.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(ECHO_HANDLER if name == "my_handler.py" else "")
    unpacked = write_model_folder(SAGEMAKER_CASES[0], tmp_path / "trained")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        for file in sorted(unpacked.iterdir()):
            archive.add(file, file.name)
    (tmp_path / "instances.json").write_text('["a"]')
    (tmp_path / "texts.json").write_text('["abba", {"inputs": "b"}]')
    (tmp_path / "numbers.json").write_text('[{"numbers": [1, 2]}]')
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("docs/migrate.md", "sh"))],
        check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("1 predictions for 1 instances") == 3
    assert run.stdout.count("2 predictions for 2 instances") == 1
    with zipfile.ZipFile(tmp_path / "anew" / "model.mar") as archive:
        assert {"net.py", "data/labels.txt"} <= set(archive.namelist())


def test_what_the_adapters_answer() -> None:
    [shown] = adapter_table.BLOCK.findall(adapter_table.DOCUMENT.read_text(encoding="utf-8"))
    assert shown == adapter_table.table(), "stale: run python -m scripts.adapter_table"
