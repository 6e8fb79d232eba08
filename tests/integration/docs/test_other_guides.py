"""The shell blocks of component/README.md and docs/emulator.md, as far as this machine can run them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS
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
    """Its last line; building and pushing the image, the ones before, need a registry."""
    [block] = blocks("component/README.md", "sh")
    name, build, push, compile_it = block.splitlines()
    assert (build.split()[:2], push.split()[:2]) == (["docker", "build"], ["docker", "push"])
    assert (ROOT / build.split()[build.split().index("-f") + 1]).is_file()
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
