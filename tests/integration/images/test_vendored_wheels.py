"""Wheels that an image chooses are served by it with no network; conflicts are told, and nothing written."""

import json
from pathlib import Path

import pytest

from tests.commands import run_command
from tests.integration.images.serving_container import answer_of, isolated
from tests.model_folders import PLURAL_HANDLER, model_folder, wheel, wheels, write_handler

PACKAGE = (
    "package", "model", "--handler", "handler.py", "--requirements-file", "requirements.txt",
    "--export-path", "out",
)  # fmt: skip


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A model with a folder of wheels, which is where the image's pip finds what it fetches."""
    folder = model_folder(tmp_path) / "wheels"
    folder.mkdir()
    [(name, content)] = wheels("words").items()
    (folder / Path(name).name).write_bytes(content)
    (folder / "words-1.0-py3-none-any.whl").write_bytes(wheel("words", "1.0", requires="pillow"))
    write_handler(tmp_path, PLURAL_HANDLER)
    (tmp_path / "requirements.txt").write_text("--no-index\nplurals\npillow\n")
    return tmp_path


def test_the_image_chooses_and_then_needs_no_network(image: str, work: Path) -> None:
    run = run_command(*PACKAGE, "--vendor-wheels", image, "--json", cwd=work)
    assert run.returncode == 0, run.stderr
    members = [name for name in json.loads(run.stdout)["members"] if name.startswith("wheels/")]
    assert members == ["wheels/plurals-1.0-py3-none-any.whl", "wheels/words-1.0-py3-none-any.whl"]
    with isolated(image, work / "out" / "model.mar") as container:
        [[word, *_]] = answer_of(container)
    assert word == "cats"


def test_a_source_becomes_a_wheel_in_the_image(image: str, work: Path) -> None:
    """By a backend that lies in the package itself: a build with no index has no other."""
    package = work / "model" / "nouns"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "nouns"\nversion = "1.0"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (package / "backend.py").write_text(
        f"CONTENT = {wheel('nouns', '1.0')!r}\n\n\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    with open(f'{folder}/nouns-1.0-py3-none-any.whl', 'wb') as file:\n"
        "        file.write(CONTENT)\n"
        "    return 'nouns-1.0-py3-none-any.whl'\n"
    )
    (work / "requirements.txt").write_text("--no-index\n./nouns\n")
    run = run_command(*PACKAGE, "--vendor-wheels", image, "--json", cwd=work)
    assert run.returncode == 0, run.stderr
    assert "wheels/nouns-1.0-py3-none-any.whl" in json.loads(run.stdout)["members"]


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("--no-index\nplurals\ntorch<2\n", ["torch<2", "The user requested (constraint) torch=="]),
        ("--no-index\nno-such-package\n", ["No matching distribution found for no-such-package"]),
    ],
)
def test_conflicts_are_told_and_nothing_is_written(
    image: str, work: Path, requirements: str, said: list[str]
) -> None:
    (work / "requirements.txt").write_text(requirements)
    run = run_command(*PACKAGE, "--vendor-wheels", image, cwd=work)
    assert run.returncode == 2
    assert f"pip can't install requirements.txt in the image {image}: " in run.stderr
    assert [part for part in said if part not in run.stderr] == []
    assert not (work / "out").exists()


def test_an_image_that_is_not_there(image: str, work: Path) -> None:
    run = run_command(*PACKAGE, "--vendor-wheels", "no-such-image:here", cwd=work)
    assert run.returncode == 2
    assert "no-such-image:here" in run.stderr
    assert "fix: correct its name, or build it" in run.stderr
    assert not (work / "out").exists()
