"""Two workers on one GPU: both load, both answer, and the same to the last digit."""

import threading
from pathlib import Path
from typing import Any

from benchmarks.contenders import MINILM
from benchmarks.gpu_proof.finding import Finding, Rows, judged
from benchmarks.gpu_proof.load_client import run_load
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import ROUTE, packaged, predictions, served
from benchmarks.model_alone import text

ASKED_AT_ONCE = 8
ROUNDS = 4


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Ask both at once, for one text; then as fast as they answer."""
    store = packaged(MINILM, scratch / "store")
    problems = []
    for workers in (1, 2):
        with served(store, VTS_WORKERS=str(workers)) as (server, port):
            log = server.log()
            loaded = log.count(" loaded and warmed up in ")
            step = run_load(port, ROUTE, {}, 1, scale.clients[-1], scale.seconds)
            vectors = {repr(each) for each in _at_once(port)}
        if loaded != workers:
            problems.append(f"{loaded} workers loaded the model, not {workers}")
        if scale.on_gpu and log.count(" on cuda:0") < workers:
            problems.append(f"not all of {workers} workers are on cuda:0")
        if step.failed:
            problems.append(f"{workers} workers: {step.failed} requests failed")
        if len(vectors) != 1:
            problems.append(f"{workers} workers gave {len(vectors)} different vectors for one text")
        rows.append({
            "workers": workers, "clients": step.clients,
            "answers a second": round(step.requests_per_second, 1), "median, ms": step.median_ms,
            "95 of 100, ms": step.p95_ms, "different vectors": len(vectors),
        })  # fmt: skip
    return judged(problems, "both answer, and the same", rows)


def _at_once(port: int) -> list[Any]:
    """The vectors of one text, asked for by several threads, several times."""
    found: list[Any] = []

    def ask() -> None:
        for _ in range(ROUNDS):
            found.extend(predictions(port, {"instances": [text(7)]}))

    threads = [threading.Thread(target=ask) for _ in range(ASKED_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != ROUNDS * ASKED_AT_ONCE:
        raise RuntimeError(f"{ROUNDS * ASKED_AT_ONCE} requests got {len(found)} answers")
    return found
