"""Seconds from the start of a server to its first answer, beside a Python that loads the model by itself."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contenders import MINILM, ROOT
from benchmarks.gpu_proof.finding import Finding, Rows
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import packaged, predictions, served
from vertex_torchserve.serving.log.phases import ServerLog

ALONE_SECONDS = 120.0
_ALONE = """\
import sys, transformers
pipeline = transformers.pipeline("feature-extraction", model=sys.argv[1], device=sys.argv[2])
pipeline(["a text"])
"""


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Start all-MiniLM-L6-v2 several times, each way in turn."""
    store = packaged(MINILM, scratch / "store")
    for number in range(scale.starts):
        began = time.monotonic()
        with served(store) as (server, port):
            ready_at, ready = datetime.now(UTC), time.monotonic() - began
            predictions(port, {"instances": ["a text"]})
            answered = time.monotonic() - began
            phases = ServerLog.of(server.log(), server.started_at, ready_at).phases
        own = {f"{phase.name}, s": round(phase.seconds, 2) for phase in phases}
        rows.append(
            {"start": number + 1, "way": "server", "ready, s": round(ready, 2),
             "first answer, s": round(answered, 2), **own}
        )  # fmt: skip
        rows.append(
            {"start": number + 1, "way": "pipeline in Python", "first answer, s": _alone(str(scale.device))}
        )
    return Finding("right", "all-MiniLM-L6-v2, as an archive that lies on this machine's disk", rows)


def _alone(device: str) -> float:
    began = time.monotonic()
    command = [sys.executable, "-c", _ALONE, str(MINILM), device]
    subprocess.run(command, cwd=ROOT, check=True, timeout=ALONE_SECONDS, stderr=subprocess.DEVNULL)
    return round(time.monotonic() - began, 2)
