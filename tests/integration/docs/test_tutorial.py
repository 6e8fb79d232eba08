"""docs/tutorial.md: its blocks run, in order, in one shell, from the folder to traffic."""

import os
import subprocess
import sys
from pathlib import Path

from testbed.deadlines import PROGRAM_SECONDS
from testbed.processes import serving_processes
from tests.documents import blocks


def test_the_tutorial(tmp_path: Path) -> None:
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("docs/tutorial.md", "bash"))],
        check=False, cwd=tmp_path, capture_output=True, text=True, timeout=PROGRAM_SECONDS,
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 predictions for 2 instances" in run.stdout
    assert "registered projects/" in run.stdout
    assert "traffic: 100 % to version 1" in run.stdout
    [vector] = [line for line in run.stdout.splitlines() if line.startswith("[")]
    assert vector.count(",") == 383
    assert not serving_processes(str(tmp_path))
