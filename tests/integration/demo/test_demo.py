"""The demo: what it says it did is so, and nothing of it stays, however it ends."""

import hashlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from testbed.deadlines import PROGRAM_SECONDS, STOP_SECONDS
from testbed.processes import private_folders, serving_processes, wait_until
from tests.commands import COMMAND, run_command


@pytest.fixture
def private_tmp() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def test_the_whole_way(tmp_path: Path, private_tmp: Path) -> None:
    run = run_command("demo", cwd=tmp_path, TMPDIR=str(private_tmp))
    assert run.returncode == 0, run.stdout + run.stderr
    summary = json.loads((tmp_path / "build" / "demo" / "summary.json").read_text())
    mar = tmp_path / summary["mar_path"]
    assert hashlib.sha256(mar.read_bytes()).hexdigest() == summary["mar_sha256"]
    assert summary["cosine_min"] >= 0.9999
    assert summary["online_predictions"] == 35
    assert summary["batch_predictions"] == 70
    assert summary["model_version_id"] == "1"
    assert "/locations/us-central1/models/" in summary["model_resource_name"]
    assert "/locations/us-central1/endpoints/" in summary["endpoint_resource_name"]
    assert set(summary["seconds"]) == {
        "emulator", "model", "pipeline", "archive", "deploy", "predict", "batch", "stop",
    }  # fmt: skip
    for seconds in summary["seconds"].values():
        assert seconds > 0
    assert "cosine >= 1.0000" in run.stdout
    assert serving_processes(str(private_tmp)) == []
    assert private_folders(private_tmp) == []


# tests/integration/serving/test_local_server.py has it for what the smoke test starts, in less time.
@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_half_way_it_leaves_no_process(
    tmp_path: Path, private_tmp: Path, number: signal.Signals
) -> None:
    """Killed while the component's smoke test serves the archive: three levels of processes are up."""
    demo = subprocess.Popen(
        [COMMAND, "demo"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(private_tmp)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell starts what it puts in the background with SIGINT ignored, and so may this run have been.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with demo:
        wait_until(
            lambda: any("vertextorchserve.Launcher" in " ".join(p.cmdline()) for p in _serving(private_tmp)),
            PROGRAM_SECONDS,
            "the smoke test serves",
        )
        demo.send_signal(number)
        code = demo.wait(STOP_SECONDS)
    assert number is not signal.SIGTERM or code == 143
    wait_until(lambda: not serving_processes(str(private_tmp)), STOP_SECONDS, "every process ended")
    if number is not signal.SIGKILL:
        assert private_folders(private_tmp) == []


def _serving(private_tmp: Path) -> list[psutil.Process]:
    return serving_processes(str(private_tmp))
