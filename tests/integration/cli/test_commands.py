"""What a stranger sees: help, errors, exit codes, and the two machine-readable reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import BROKEN_HANDLER, write_archive
from tests.commands import run_command
from vertex_torchserve.emulator import Emulator

COMMANDS = ["package", "smoke-test", "upload", "deploy", "emulator", "demo", "doctor"]


def test_help_lists_every_command() -> None:
    run = run_command("--help")
    assert run.returncode == 0
    for command in COMMANDS:
        assert f" {command} " in run.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    run = run_command(command, "--help")
    assert run.returncode == 0
    assert f"vertex-torchserve {command}" in run.stdout
    assert "Usage:" in run.stdout


def test_version() -> None:
    assert run_command("--version").stdout == "vertex-torchserve 0.1.0\n"


@pytest.mark.parametrize("arguments", [["pack"], ["package"], ["smoke-test", "a.mar", "--no-such"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    run = run_command(*arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    run = run_command("--debug", "package", "nowhere", cwd=tmp_path)
    assert run.returncode != 0
    assert "Traceback (most recent call last)" in run.stderr


def test_smoke_test_reports_in_json(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    (tmp_path / "instances.json").write_text('["a", "b"]')
    run = run_command("smoke-test", str(mar), "--instances", str(tmp_path / "instances.json"), "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["ok"] is True
    assert report["ready_seconds"] > 0
    assert report["predictions"] == [{"echo": "a"}, {"echo": "b"}]
    assert [check["name"] for check in report["checks"]] == [
        "archive", "image", "ready", "status", "json", "predictions", "stopped",
    ]  # fmt: skip


def test_smoke_test_of_a_broken_handler_exits_with_1(tmp_path: Path) -> None:
    mar = write_archive(tmp_path, BROKEN_HANDLER)
    (tmp_path / "instances.jsonl").write_text('"a"\n')
    run = run_command("smoke-test", str(mar), "--instances", str(tmp_path / "instances.jsonl"))
    assert run.returncode == 1
    assert "ValueError: the weights are of another model" in run.stdout
    assert "failed" in run.stdout


@pytest.mark.parametrize(
    ("mar", "instances", "expected"),
    [
        (b"not a zip", "[1]", "is not a model archive"),
        (None, "[1]", "is not a file; a model archive (.mar) is needed"),
        (
            b"not a zip",
            '"hello"',
            "a list of instances, or an object with instances, parameters, predictions, tolerance,",
        ),
    ],
)
def test_smoke_test_of_bad_input_exits_with_2(
    tmp_path: Path, mar: bytes | None, instances: str, expected: str
) -> None:
    if mar is not None:
        (tmp_path / "model.mar").write_bytes(mar)
    (tmp_path / "instances.json").write_text(instances)
    run = run_command("smoke-test", "model.mar", "--instances", "instances.json", cwd=tmp_path)
    assert run.returncode == 2
    assert expected in run.stderr


def test_smoke_test_refuses_an_inventory_that_is_none(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    (tmp_path / "list.json").write_text('{"packages": []}')
    for options, expected in (
        (["--inventory", "none.json"], "none.json can't be read: No such file or directory"),
        (["--inventory", "list.json"], "list.json is not the inventory of an image"),
        (["--inventory", "cpu", "--image", "x"], "--inventory cpu with --image x: the image itself serves"),
    ):
        run = run_command("smoke-test", str(mar), *options, cwd=tmp_path)
        assert run.returncode == 2
        assert expected in run.stderr


def test_upload_registers_once(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with Emulator.start(buckets=["archives"]) as emulator:
        arguments = (
            "upload", str(mar), "--bucket", "gs://archives/models", "--project", "my-project",
            "--location", "us-central1", "--display-name", "mine", "--version-alias", "first", "--json",
        )  # fmt: skip
        environment: dict[str, Any] = emulator.environment()
        first, second = (run_command(*arguments, **environment) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "Google's prebuilt PyTorch containers" in first.stderr
    assert "2027-01-14" in first.stderr
    registered = json.loads(first.stdout)
    assert registered["model_version_id"] == "1"
    assert registered["artifact_uri"].startswith("gs://archives/models/")
    assert registered["already_registered"] is False
    assert json.loads(second.stdout) == {**registered, "already_registered": True}


def test_upload_names_everything_that_is_wrong(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    run = run_command(
        "upload", str(mar), "--bucket", "gs://archives", "--project", "p", "--location", "mars-1",
        "--display-name", "x" * 200, "--version-alias", "v1.0",
    )  # fmt: skip
    assert run.returncode == 2
    for part in (
        "3 problems",
        "'mars-1' is not a Vertex AI region",
        "200 characters",
        "version alias 'v1.0'",
    ):
        assert part in run.stderr


def test_component_yaml_of_an_image_of_ones_own(tmp_path: Path) -> None:
    image = "europe-west2-docker.pkg.dev/p/components/upload:1"
    arguments = ["component", "yaml", "--image", image]
    printed = run_command(*arguments, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert f"\n        image: {image}\n" in printed.stdout
    written = run_command(*arguments, "--output", "component.yaml", cwd=tmp_path)
    assert written.stderr == "wrote component.yaml\n"
    assert (tmp_path / "component.yaml").read_text() == printed.stdout


def test_component_yaml_of_no_image() -> None:
    run = run_command("component", "yaml", "--image", "My Image")
    assert run.returncode == 2
    assert "component image 'My Image' is not the name of an image" in run.stderr
