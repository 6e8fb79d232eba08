"""An image that isn't there is bad input: told before any work, with what else is wrong."""

from pathlib import Path

import pytest

from testbed.archives import write_archive
from tests.commands import run_command
from tests.model_folders import model_folder

MISSING = "no-such-image:here"


@pytest.mark.parametrize(
    ("command", "also"),
    [
        (("check", "nowhere.mar", "--image", MISSING), "nowhere.mar does not exist"),
        (
            ("package", "model", "--requirements-file", "no.txt", "--vendor-wheels", MISSING),
            "requirements file 'no.txt' is not a file",
        ),
        (("smoke-test", "model.mar", "--instances", "no.json", "--image", MISSING), "no.json"),
        (("smoke-test", "model.mar", "--instances", "no.json", "--inventory", MISSING), "no.json"),
        (("golden", "record", "model.mar", "--instances", "no.json", "--image", MISSING), "no.json"),
        (("golden", "replay", "model.mar", "--golden-request", "no.json", "--image", MISSING), "no.json"),
        (("golden", "diff", "model.mar", "nowhere.mar", "--image", MISSING), "nowhere.mar"),
        (("conformance", MISSING, "--instances", "no.json"), "no.json"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_it_is_told_with_what_else_is_wrong(
    engine: None, command: tuple[str, ...], also: str, tmp_path: Path
) -> None:
    model_folder(tmp_path)
    write_archive(tmp_path, "def handle(data, context):\n    return data\n")
    before = sorted(tmp_path.rglob("*"))
    run = run_command(*command, cwd=tmp_path)
    said = " ".join(run.stderr.split())
    assert run.returncode == 2, said
    assert "problems with the input" in said
    assert f"there is no image '{MISSING}', in the engine or in a registry" in said
    assert said.count("there is no image") == 1
    assert also in said
    assert sorted(tmp_path.rglob("*")) == before


def test_an_image_that_only_the_engine_could_tell_about(engine: None) -> None:
    run = run_command("images", "inspect", MISSING)
    assert run.returncode == 2
    assert f"the engine has no image '{MISSING}'" in run.stderr
