"""What `init` makes works at once: its own commands run, on the model that its own program makes."""

import subprocess
import sys
from pathlib import Path

import pytest

from testbed.deadlines import PROGRAM_SECONDS
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_project import TASKS, create_project
from vertex_torchserve.serving.archive.manifest import read_manifest

BIN = Path(sys.executable).parent


def run(folder: Path, *command: str) -> str:
    """What a command of the project prints, with this environment's programs first on its PATH."""
    done = subprocess.run(
        command, cwd=folder, env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(Path.home()), "NO_COLOR": "1"},
        check=False, capture_output=True, text=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_handler_of_ones_own_from_nothing_to_a_proof(tmp_path: Path) -> None:
    create_project(tmp_path / "mine", "handler")
    assert "recorded golden-request.json" in run(tmp_path / "mine", "make", "golden")
    proved = run(tmp_path / "mine", "make", "prove")
    assert "nothing found" in proved
    assert "2 predictions for 2 instances" in proved
    run(tmp_path / "mine", "make", "pipeline")
    assert "name: mine" in (tmp_path / "mine" / "pipeline.yaml").read_text()


@pytest.mark.parametrize(
    ("house", "task"), [("torchscript", None), *(("reference", task) for task in TASKS)], ids=str
)
def test_every_other_project_makes_an_archive_that_nothing_is_found_in(
    tmp_path: Path, house: str, task: str | None
) -> None:
    folder = tmp_path / "mine"
    create_project(folder, house, task)
    run(folder, "make", "model")
    packaging = run(folder, "make", "--dry-run", "golden").splitlines()[0]
    run(folder, "sh", "-c", packaging)
    assert read_manifest(folder / "build" / "model.mar").model_name == "model"
    assert "nothing found" in run(folder, "vertex-torchserve", "check", "build/model.mar")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(InputError) as caught:
        create_project(folder, "hut", "cooking")
    assert [problem.message.split(":")[0].split("'")[0] for problem in caught.value.problems] == [
        "folder name ",
        f"{folder} is there already, and not empty",
        "house ",
        "--task with the house ",
    ]
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
