"""Run the command as a user does: a process of its own, with what it prints and its exit code."""

import os
import subprocess
import sys
from pathlib import Path

from testbed.deadlines import PROGRAM_SECONDS

COMMAND = str(Path(sys.executable).parent / "vertex-torchserve")


def run_command(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What the command said, with a terminal wide enough for every message."""
    return subprocess.run(
        [COMMAND, *arguments],
        check=False,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
    )
