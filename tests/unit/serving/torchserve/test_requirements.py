"""What pip is told, and what is told of pip."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.request import url2pathname

import pytest

from testbed.archives import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.requirements import Installation, plan_installation


def plan(
    root: Path, files: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> Installation:
    work = root / "a folder"
    mar = write_archive(
        root, files={"requirements.txt": "", **(files or {})}, requirementsFile="requirements.txt"
    )
    model = unpack_archive(LocalArchive(mar), work / "model")
    settings = ServingSettings.from_environment({"VTS_INSTALL_TIMEOUT_SECONDS": "7"})
    planned = plan_installation(model, settings, work, environment or {})
    assert planned is not None
    return planned


def test_an_archive_without_requirements(tmp_path: Path) -> None:
    model = unpack_archive(LocalArchive(write_archive(tmp_path)), tmp_path / "model")
    assert plan_installation(model, ServingSettings.from_environment({}), tmp_path, {}) is None


def test_pip_may_not_touch_what_serves(tmp_path: Path) -> None:
    planned = plan(tmp_path)
    url = planned.environment["PIP_CONSTRAINT"]
    assert " " not in url
    assert Path(url2pathname(url.removeprefix("file://"))).read_text() == (
        f"torch=={version('torch')}\ntorchserve==0.12.0\n"
    )
    assert planned.limit_seconds == 7
    assert planned.environment["PIP_NO_INPUT"] == planned.environment["PIP_NO_CACHE_DIR"] == "1"
    assert not planned.environment.keys() & {"PIP_NO_INDEX", "PIP_FIND_LINKS"}
    assert Path(planned.environment["TMPDIR"]).is_dir()


def test_wheels_of_the_archive_come_first_and_alone(tmp_path: Path) -> None:
    own = plan(tmp_path, {"wheels/a.whl": ""}).environment
    wheels = (tmp_path / "a folder" / "model" / "wheels").as_uri()
    assert (own["PIP_FIND_LINKS"], own["PIP_NO_INDEX"]) == (wheels, "1")


def test_the_operator_s_settings_are_kept(tmp_path: Path) -> None:
    given = {
        "PIP_CONSTRAINT": "/etc/constraints.txt",
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_NO_INDEX": "0",
        "PIP_CACHE_DIR": "/cache",
    }
    own = plan(tmp_path, {"wheels/a.whl": ""}, given).environment
    assert own["PIP_CONSTRAINT"].startswith("/etc/constraints.txt file:///")
    assert own["PIP_FIND_LINKS"].startswith("/opt/wheels file:///")
    assert own["PIP_NO_INDEX"] == "0"
    assert "PIP_NO_CACHE_DIR" not in own


@pytest.mark.parametrize("name", ["pip.py", "pip/__init__.py"])
def test_a_module_that_would_run_in_place_of_pip(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="a module `pip` that would run in place of pip"):
        plan(tmp_path, {name: ""})


def test_a_folder_of_that_name_without_python_in_it_is_no_module(tmp_path: Path) -> None:
    assert plan(tmp_path, {"pip/words.txt": ""}).limit_seconds == 7


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            "2026-01-31T10:00:00,123 Looking in indexes: https://me:secret@index.example/simple\n"
            "2026-01-31T10:00:00,124 ERROR: Cannot install a==1 because of conflicts.\n"
            "2026-01-31T10:00:00,124 \n"
            "2026-01-31T10:00:00,124     a 1 depends on torch==1.0\n"
            "2026-01-31T10:00:00,124 ERROR: see https://me:secret@index.example/simple\n"
            "2026-01-31T10:00:00,125 Exception information:\n"
            "2026-01-31T10:00:00,125 Traceback (most recent call last):\n",
            "ERROR: Cannot install a==1 because of conflicts.\n"
            "    a 1 depends on torch==1.0\n"
            "ERROR: see https://****@index.example/simple",
        ),
        (
            "2026-01-31T10:00:00,123   Running command python setup.py egg_info\n"
            "2026-01-31T10:00:00,124   it needs a compiler\n"
            "2026-01-31T10:00:00,124 ERROR: [present-rich] metadata generation failed\n"
            "2026-01-31T10:00:00,125 Exception information:\n",
            "  Running command python setup.py egg_info\n"
            "  it needs a compiler\n"
            "ERROR: [present-rich] metadata generation failed",
        ),
        (
            "2026-01-31T10:00:00,123 Collecting a\n"
            "2026-01-31T10:00:00,124   Downloading https://token@index.example/a-1.0-py3-none-any.whl\n",
            "Collecting a\n  Downloading https://****@index.example/a-1.0-py3-none-any.whl",
        ),
    ],
)
def test_what_pip_said_last(tmp_path: Path, log: str, expected: str) -> None:
    planned = plan(tmp_path)
    planned.pip_log.write_text(log)
    assert planned.last_lines() == expected


def test_a_long_log_is_cut(tmp_path: Path) -> None:
    planned = plan(tmp_path)
    assert planned.last_lines() == "pip wrote no log"
    planned.pip_log.write_text("".join(f"2026-01-31T10:00:00,123 {number}\n" for number in range(1000)))
    assert planned.last_lines().splitlines() == [str(number) for number in range(980, 1000)]
