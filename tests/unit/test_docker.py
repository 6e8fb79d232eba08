"""What a user without a working Docker, or with a typo, is told."""

import os
import socket
from pathlib import Path

import pytest

from tests.commands import run_command
from vertex_torchserve import docker

ROOT = Path(__file__).parents[2]


def test_no_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VTS_DOCKER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(docker.DockerError, match="there is no docker client 'docker'") as raised:
        docker.engine_version()
    assert raised.value.exit_code == 1
    assert raised.value.fix == "install Docker, or set VTS_DOCKER"


def test_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTS_DOCKER", "/nowhere/docker")
    with pytest.raises(docker.DockerError, match="/nowhere/docker"):
        docker.build_image(Path("Dockerfile"), Path(), "unused:dev")


def test_a_command_that_fails_says_what_the_client_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = tmp_path / "client"
    client.write_text('#!/bin/sh\necho partial\necho "refused: $*" >&2\nexit 3\n')
    client.chmod(0o755)
    monkeypatch.setenv("VTS_DOCKER", str(client))
    with pytest.raises(docker.DockerError) as raised:
        docker.Container("0123").remove()
    assert raised.value.message == "docker rm failed: refused: rm --force --volumes 0123"


@pytest.mark.skipif(
    not Path("/usr/bin/docker").exists() and os.environ.get("REQUIRE_DOCKER") != "1",
    reason="NO DOCKER CLIENT IN /usr/bin (scripts/docker_engine.sh)",
)
def test_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:  # bound and never listening: nobody else gets the port
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("VTS_DOCKER", "/usr/bin/docker")
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(docker.DockerError, match="Cannot connect to the Docker daemon") as raised:
            docker.engine_version()
    assert raised.value.fix == "start the Docker engine, or point DOCKER_HOST at one"


def test_bad_input_of_images_build_is_told_at_once(tmp_path: Path) -> None:
    answer = run_command("images", "build", "gpu", "--build-arg", "TORCH_VERSION", "--source", str(tmp_path))
    assert answer.returncode == 2
    assert "2 problems with the input" in answer.stderr
    assert f"{tmp_path}/images/torchserve-gpu/Dockerfile does not exist" in answer.stderr
    assert "build argument 'TORCH_VERSION' is not NAME=VALUE" in answer.stderr
    assert answer.stdout == ""


def test_an_unknown_image_is_refused_with_the_known_ones() -> None:
    answer = run_command("images", "build", "tpu")
    assert answer.returncode == 2
    for known in ("cpu", "gpu", "component"):
        assert f"'{known}'" in answer.stderr


def test_a_missing_client_ends_the_command_with_one(tmp_path: Path) -> None:
    answer = run_command("images", "build", "cpu", cwd=ROOT, VTS_DOCKER="/nowhere/docker")
    assert answer.returncode == 1
    assert "fix: install Docker" in answer.stderr


def test_bad_input_of_an_image_with_requirements_is_told_without_an_engine(tmp_path: Path) -> None:
    asked = ("images", "build", "cpu", "--with-requirements")
    answer = run_command(*asked, str(tmp_path / "r.txt"), VTS_DOCKER="/nowhere/docker")
    assert answer.returncode == 2
    assert f"{tmp_path}/r.txt does not exist; a requirements file is needed" in answer.stderr
    (tmp_path / "r.txt").write_text("# nothing\n")
    answer = run_command(*asked, str(tmp_path / "r.txt"), VTS_DOCKER="/nowhere/docker")
    assert f"{tmp_path}/r.txt names nothing to install" in answer.stderr
    (tmp_path / "r.txt").write_text("-r more.txt\nplurals==1.0\n")
    (tmp_path / "more.txt").write_text("==2\n")
    answer = run_command(*asked, str(tmp_path / "r.txt"), VTS_DOCKER="/nowhere/docker")
    assert f"{tmp_path}/more.txt:1: line 1, column 1: '==2'" in answer.stderr
    (tmp_path / "more.txt").write_text("captum==0.9.0\n")
    answer = run_command(*asked, str(tmp_path / "r.txt"), VTS_DOCKER="/nowhere/docker")
    assert answer.returncode == 1
    assert "there is no docker client '/nowhere/docker'" in answer.stderr


def test_options_of_images_with_requirements_need_them(tmp_path: Path) -> None:
    answer = run_command("images", "build", "component", "--with-requirements", str(tmp_path / "r.txt"))
    assert answer.returncode == 2
    assert "makes a serving image, and the component's is none" in answer.stderr
    answer = run_command("images", "build", "cpu", "--base", "a:b", "--pip-config", "pip.conf", cwd=ROOT)
    assert answer.returncode == 2
    assert "1. --base is a:b, and only images with requirements of their own and the comp" in answer.stderr
    assert "2. --pip-config is pip.conf" in answer.stderr


def test_what_can_t_be_pushed_or_has_two_bases_is_told_before_the_build(tmp_path: Path) -> None:
    asked = ("images", "build", "component", "--push", "--source", str(ROOT))
    bases = ("--base", "a:1", "--build-arg", "BASE_IMAGE=b:1")
    answer = run_command(*asked, *bases, cwd=tmp_path, VTS_DOCKER="/nowhere/docker")
    assert answer.returncode == 2
    assert "1. --push needs a --tag that begins with a registry; it is not given" in answer.stderr
    assert "2. --base with --build-arg BASE_IMAGE, which says the same" in answer.stderr
    answer = run_command(*asked, "--tag", "component:1", cwd=tmp_path, VTS_DOCKER="/nowhere/docker")
    assert "--push needs a --tag that begins with a registry; it is component:1" in answer.stderr
