"""What notebooks do before and after they ask: upload a model, deploy it, and remove both."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from testbed.deadlines import PROGRAM_SECONDS

# Every cell begins like this: the only setting that Google's own service would not need is the transport.
BEGIN = """\
import json, os, requests
from google.cloud import aiplatform

PROJECT_ID, REGION = "my-project", "us-central1"
aiplatform.init(project=PROJECT_ID, location=REGION, api_transport="rest")
SERVE_DOCKER_URI = "us-central1-docker.pkg.dev/p/r/torchserve-cpu:1"
"""


def run_cells(cells: str, environment: Mapping[str, str]) -> Any:
    """Run the cells of a notebook as one program; returns what `said` is at the end.

    Args:
        cells: Python, behind `BEGIN`.
        environment: What the emulator tells its clients to set.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}{cells}\nprint(json.dumps(said))"],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
