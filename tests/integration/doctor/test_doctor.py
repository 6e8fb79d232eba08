"""What `doctor` says of machines that lack something; programs that it asks are files of the test."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_command
from vertex_torchserve.doctor import State
from vertex_torchserve.doctor.docker_check import check_docker
from vertex_torchserve.doctor.java_check import check_java

# Nothing listens there: every registry is out of reach at once.
PROXY, INDEX = "http://127.0.0.1:9", "https://index.example/simple"
NVIDIA_SMI = """\
#!/bin/sh
case "$1" in
--query-gpu*) echo "NVIDIA L4, 550.54.15, 23034 MiB" ;;
*) echo "| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4 |" ;;
esac
"""


DOCKER = """\
#!/bin/sh
case "$1 $3" in
"version {{.Server.Version}}") echo 28.2.2 ;;
"version {{.Client.Version}}") echo %s ;;
*) exit %s ;;
esac
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_a_machine_that_can_serve(tmp_path: Path) -> None:
    program(tmp_path / "bin", "nvidia-smi", NVIDIA_SMI)
    run = run_command(
        "doctor", "--json", "--project", "my-project", "--location", "us-central1",
        PATH=str(tmp_path / "bin"), VERTEX_AI_EMULATOR_HOST="127.0.0.1:9",
        HTTPS_PROXY=PROXY, PIP_INDEX_URL=INDEX, VTS_DOCKER=str(tmp_path / "bin" / "docker"),
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    assert (found["ok"], found["needed"]) == (True, ["python", "java"])
    states = {name: [each["state"] for each in findings] for name, findings in found["checks"].items()}
    assert states == {
        "python": ["ok", "ok"],
        "java": ["ok"],
        "docker": ["missing"],
        "gpu": ["missing"],
        "google": ["ok", "ok"],
        "network": ["warning"] * 4,
    }
    (gpu,) = found["checks"]["gpu"]
    assert "NVIDIA L4, 550.54.15, 23034 MiB; the driver takes CUDA up to 12.4; torch 2" in gpu["seen"]
    assert "index.example, can't be reached" in found["checks"]["network"][0]["seen"]


@pytest.mark.parametrize(
    ("java", "said"),
    [
        ("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n", "17 or newer is needed"),
        ("#!/bin/sh\nexit 1\n", "java does not run"),
        (None, "holds no bin/java"),
    ],
)
def test_a_java_that_is_not_fit(
    tmp_path: Path, java: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if java:
        program(tmp_path / "bin", "java", java)
    (found,) = check_java()
    assert (found.state, said in found.seen) == (State.MISSING, True)


@pytest.mark.parametrize(
    ("client", "code_of_buildx", "state"),
    [("28.2.2", 0, "ok"), ("28.2.2", 1, "warning"), ("20.10.24+dfsg1", 1, "ok")],
)
def test_a_docker_client_that_can_t_build(
    tmp_path: Path, client: str, code_of_buildx: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "docker", DOCKER % (client, code_of_buildx))
    monkeypatch.setenv("VTS_DOCKER", str(tmp_path / "bin" / "docker"))
    (found,) = check_docker()
    assert found.state == state
    assert f"engine 28.2.2, client {tmp_path}/bin/docker {client}" in found.seen
    assert ("install the plug-in" in found.fix) == (state == "warning")


def test_what_is_needed_and_missing_is_exit_code_1(tmp_path: Path) -> None:
    run = run_command(
        "doctor", "--need", "docker", "--need", "google", "--location", "mars-1",
        VTS_DOCKER="no-docker", VERTEX_AI_EMULATOR_HOST="127.0.0.1:9", HTTPS_PROXY=PROXY, PIP_INDEX_URL=INDEX,
    )  # fmt: skip
    assert run.returncode == 1
    assert "missing  docker: there is no docker client 'no-docker'\n  fix: install Docker" in run.stdout
    assert "something is missing (docker, google)" in run.stdout


def test_an_unknown_check(tmp_path: Path) -> None:
    run = run_command("doctor", "--need", "tpu")
    assert run.returncode == 2
    assert "'tpu' is no check; python, java, docker, gpu, google, network are" in run.stderr
