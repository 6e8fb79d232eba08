"""`conformance`: what is wrong with the input is said at once, with code 2, before anything starts."""

from pathlib import Path

import pytest

from tests.commands import run_command

NO_ENGINE = "unix:///nowhere/docker.sock"


def test_an_engine_that_is_down_is_bad_input() -> None:
    run = run_command("conformance", "torchserve-cpu:dev", DOCKER_HOST=NO_ENGINE)
    assert run.returncode == 2
    assert "docker version failed" in run.stderr
    assert "start the Docker engine" in run.stderr


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    run = run_command(
        "conformance", "some-image:1", "--artifact", str(tmp_path / "no-model.mar"), "--port", "70000",
        "--health-route", "ping", "--env", "AIP_MODE=TEST", DOCKER_HOST=NO_ENGINE,
    )  # fmt: skip
    assert run.returncode == 2
    assert "5 problems with the input" in run.stderr
    for said in ("no-model.mar", "70000", "'ping'", "'AIP_MODE'", "docker version failed"):
        assert said in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("content", ["[1", '{"parameters": {}}', "5"])
def test_a_request_that_is_none(content: str, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(content)
    run = run_command("conformance", "some-image:1", "--instances", str(file), DOCKER_HOST=NO_ENGINE)
    assert run.returncode == 2
    assert "request.json" in run.stderr
