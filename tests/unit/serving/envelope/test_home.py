"""The folder TorchServe is started with, and what its worker can import."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError, ServingError
from vertex_torchserve.serving.envelope import lay_out_home

SITE_PACKAGES = Path((find_spec("ts") or pytest.fail("no ts")).origin or "").parents[1]


def test_everything_is_the_installed_torchserve_but_the_worker(tmp_path: Path) -> None:
    home = lay_out_home(tmp_path / "home", SITE_PACKAGES)
    assert home == tmp_path / "home"
    assert (home / "ts" / "version.txt").read_text().strip() == "0.12.0"
    assert (home / "ts" / "configs" / "metrics.yaml").samefile(SITE_PACKAGES / "ts/configs/metrics.yaml")
    assert (home / "ts" / "utils" / "setup_model_venv.py").is_file()
    assert "register_envelope()" in (home / "ts" / "model_service_worker.py").read_text()
    assert not (home / "ts" / "__init__.py").exists()


def test_the_worker_of_that_folder_is_torchserves_own(tmp_path: Path) -> None:
    home = lay_out_home(tmp_path / "home", SITE_PACKAGES)
    answer = subprocess.run(
        [sys.executable, home / "ts" / "model_service_worker.py", "--help"],
        env={"PYTHONPATH": f"{tmp_path}:{home}"},  # what TorchServe sets: the model's folder, then its home
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--sock-type" in answer.stdout
    assert "--metrics-config" in answer.stdout


def test_two_homes_don_t_meet(tmp_path: Path) -> None:
    for name in ("one", "two"):
        lay_out_home(tmp_path / name, SITE_PACKAGES)
    with pytest.raises(ServingError) as caught:
        lay_out_home(tmp_path / "one", SITE_PACKAGES)
    assert caught.value.message == (
        f"the folder {tmp_path / 'one'} for TorchServe's worker could not be laid out: File exists"
    )


def test_a_folder_without_torchserve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        lay_out_home(tmp_path / "home", tmp_path)
    assert caught.value.problems[0].message.startswith(f"{tmp_path / 'ts'} holds no model_service_worker.py")
    assert not (tmp_path / "home").exists()
