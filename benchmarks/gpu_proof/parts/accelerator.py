"""A server that was asked for an accelerator starts with one and refuses to start without."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.gpu_proof.finding import Finding, Row, Rows, judged
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import packaged, predictions, served
from testbed.packaged_models import request
from testbed.tiny_models import make
from vertex_torchserve.serving.local_server import machine_environment

ASKED = "NVIDIA_TESLA_T4"
REFUSAL_SECONDS = 150.0
NO_DRIVER = "no GPU is to be seen here"
NO_CUDA = "torch can't use it"


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Start without a driver; and, where there is one, with it, and with a GPU that torch may not use."""
    store = packaged(make("text-classification", scratch / "model"), scratch / "store")
    tools = scratch / "tools"
    tools.mkdir()
    rows.append(_refused(store, "no nvidia-smi", NO_DRIVER, {"PATH": str(tools)}))
    if scale.on_gpu:
        # -1 stands for no device: nvidia-smi still lists the GPU, and torch finds none.
        rows.append(_refused(store, "a GPU hidden from torch", NO_CUDA, {"CUDA_VISIBLE_DEVICES": "-1"}))
        with served(store, AIP_ACCELERATOR_TYPE=ASKED) as (server, port):
            predictions(port, request("text-classification"))
            on_gpu = " on cuda:" in server.log()
        rows.append({"case": "with a driver", "expected": "serves on the GPU", "right": on_gpu})
    problems = [f"{row['case']}: not as expected: {json.dumps(row)}" for row in rows if not row["right"]]
    said = "it starts with a GPU, and without says why not" if scale.on_gpu else "without one it says why not"
    return judged(problems, said, rows)


def _refused(store: Path, case: str, expected: str, environment: dict[str, str]) -> Row:
    """Start the entrypoint, which must end with 1 and say why."""
    variables = {**machine_environment(), "AIP_STORAGE_URI": str(store), "AIP_ACCELERATOR_TYPE": ASKED}
    ended = subprocess.run(
        [sys.executable, "-m", "vertex_torchserve.serving.entrypoint"],
        env={**variables, "VTS_LOG_FORMAT": "text", **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=REFUSAL_SECONDS, check=False,
    )  # fmt: skip
    right = ended.returncode == 1 and expected in ended.stdout
    return {
        "case": case, "expected": f"ends with 1: {expected}", "right": right,
        "exit code": ended.returncode, "last line": (ended.stdout.strip().splitlines() or [""])[-1][-300:],
    }  # fmt: skip
