"""Which docker client this checkout's own work uses, also where the first `make` has to install one."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stand for scripts/docker_engine.sh on a machine without Docker, where it works and where it does not.
INSTALLS = '#!/bin/sh\ntouch "$PWD/installed-client"\necho "$PWD/installed-client"\n'
FAILS = "#!/bin/sh\nexit 1\n"
# Stands for the programs that need a client: writes down its own name and the client it was given.
ASKS = '#!/bin/sh\necho "$(basename "$0") $VTS_DOCKER" >> asked\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile in a folder where the programs of its recipes only say which client they were given."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("scripts", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    for name in (*installed_from(), ".venv/.installed"):  # the last is no older: nothing to set up
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    programs = ("vertex-torchserve", "python", "pytest")
    for path in (*(f".venv/bin/{name}" for name in programs), "scripts/base_image.sh"):
        write_program(tmp_path / path, ASKS)
    return tmp_path


def installed_from() -> list[str]:
    """The files that `make setup` installs anew for, when they have changed."""
    (line,) = re.findall(r"^\$\(VENV\)/\.installed: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    files: list[str] = line.split()
    return files


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def make(checkout: Path, target: str, **environment: str) -> int:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", target],
        cwd=checkout,
        env={**clean, **environment},
        check=False,
        capture_output=True,
        timeout=60,
    ).returncode


@pytest.mark.parametrize(
    ("target", "programs"),
    [
        ("images", {"vertex-torchserve", "base_image.sh"}),
        ("test-gpu-image", {"vertex-torchserve", "base_image.sh", "pytest"}),
        ("cloudbuild-local", {"python", "base_image.sh"}),
    ],
)
def test_the_first_make_uses_the_client_that_it_installs(
    checkout: Path, target: str, programs: set[str]
) -> None:
    write_program(checkout / "scripts/docker_engine.sh", INSTALLS)
    assert make(checkout, target) == 0
    asked = set((checkout / "asked").read_text().splitlines())
    assert asked == {f"{program} {checkout}/installed-client" for program in programs}


@pytest.mark.parametrize("target", ["images", "test-gpu-image", "cloudbuild-local"])
def test_without_an_engine_make_fails_and_builds_nothing(checkout: Path, target: str) -> None:
    write_program(checkout / "scripts/docker_engine.sh", FAILS)
    assert make(checkout, target) != 0
    assert not (checkout / "asked").exists()


def client(environment: dict[str, str]) -> str:
    command = [ROOT / "scripts/docker_client.sh"]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_the_client_that_is_named() -> None:
    assert client({"PATH": os.environ["PATH"], "VTS_DOCKER": "/opt/docker"}) == "/opt/docker\n"


def test_else_debian_s_where_it_is_installed(tmp_path: Path) -> None:
    """Also where another one comes first on the PATH."""
    write_program(tmp_path / "docker", ASKS)
    expected = "/usr/bin/docker\n" if Path("/usr/bin/docker").exists() else "docker\n"
    assert client({"PATH": f"{tmp_path}:{os.environ['PATH']}"}) == expected
