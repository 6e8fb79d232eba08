"""An archive with vendored wheels is served with no index, and its lock is what pip obeys."""

import zipfile
from pathlib import Path

import httpx
import pytest

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from tests.commands import run_command
from tests.model_folders import PLURAL_HANDLER, model_folder, wheels, write_handler
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.local_server import ServingProcess

PACKAGE = (
    "package", "model", "--handler", "handler.py", "--requirements-file", "requirements.txt",
    "--export-path", "out",
)  # fmt: skip


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose handler needs `plurals`, and a folder with its wheel."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    model_folder(tmp_path)
    write_handler(tmp_path, PLURAL_HANDLER)
    (tmp_path / "requirements.txt").write_text("plurals\n")
    [content] = wheels("torch>=2").values()
    (tmp_path / "of-wheels").mkdir()
    (tmp_path / "of-wheels" / "plurals-1.0-py3-none-any.whl").write_bytes(content)
    return tmp_path


def test_it_serves_with_no_index(work: Path) -> None:
    run = run_command(*PACKAGE, "--vendor-wheels", "of-wheels", cwd=work)
    assert run.returncode == 0, run.stderr
    assert "  1 wheels: plurals-1.0-py3-none-any.whl\n" in run.stdout
    with ServingProcess({"AIP_STORAGE_URI": str(work / "out")}) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(
            f"{server.base_url}/predictions/model", json={"instances": ["cat"]}, timeout=ANSWER_SECONDS
        )
    [[word, _, installed]] = answer.json()["predictions"]
    assert word == "cats"
    assert "/venv/lib/" in installed


def test_another_wheel_than_the_lock_has_is_not_installed(work: Path) -> None:
    run = run_command(*PACKAGE, "--vendor-wheels", "of-wheels", cwd=work)
    assert run.returncode == 0, run.stderr
    [changed] = wheels("torch>=1").values()
    mar = work / "out" / "model.mar"
    (work / "unpacked").mkdir()
    with zipfile.ZipFile(mar) as archive:
        archive.extractall(work / "unpacked")
    (work / "unpacked" / "wheels" / "plurals-1.0-py3-none-any.whl").write_bytes(changed)
    with (
        ServingProcess({"AIP_STORAGE_URI": str(work / "unpacked")}) as server,
        pytest.raises(ServingError, match="THESE PACKAGES DO NOT MATCH THE HASHES"),
    ):
        server.wait_ready(READY_SECONDS)
