"""Requests a second by `VTS_WORKERS` and `VTS_BATCH_SIZE`: which serve one GPU best."""

from pathlib import Path

import torch

from benchmarks.contenders import MINILM
from benchmarks.gpu_busy import BusyShare
from benchmarks.gpu_proof.finding import Finding, Rows, judged
from benchmarks.gpu_proof.load_client import run_load
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import ROUTE, packaged, served

# Workers, then the most requests of a batch.
ON_A_GPU = ((1, 16), (1, 64), (2, 32), (4, 16), (4, 32), (6, 16))
ON_A_CPU = ((1, 16), (2, 8))


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Let the most clients ask for one text a request, with each pair of settings."""
    store = packaged(MINILM, scratch / "store")
    settings = ON_A_GPU if scale.on_gpu else ON_A_CPU
    problems = []
    for workers, batch in settings:
        with served(store, VTS_WORKERS=str(workers), VTS_BATCH_SIZE=str(batch)) as (_, port):
            run_load(port, ROUTE, {}, 1, scale.clients[-1], scale.seconds / 3)  # the JVM compiles
            busy = BusyShare(scale.device)
            step = run_load(port, ROUTE, {}, 1, scale.clients[-1], scale.seconds, busy)
            used = torch.cuda.mem_get_info(scale.device) if scale.on_gpu else None
        if step.failed:
            problems.append(f"{workers} workers, batches of {batch}: {step.failed} requests failed")
        rows.append({
            "VTS_WORKERS": workers, "VTS_BATCH_SIZE": batch, "clients": step.clients,
            "requests a second": round(step.requests_per_second, 1), "median, ms": step.median_ms,
            "95 of 100, ms": step.p95_ms, "GPU busy": busy.share,
            "GPU memory, MiB": (used[1] - used[0]) // 2**20 if used else None,
        })  # fmt: skip
    best = max(rows, key=lambda row: row["requests a second"])
    said = (
        f"{best['VTS_WORKERS']} workers with batches of {best['VTS_BATCH_SIZE']} serve the most: "
        f"{best['requests a second']:.0f} a second"
    )
    return judged(problems, said, rows)
