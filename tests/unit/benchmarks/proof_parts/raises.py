"""A part of the GPU proof that finds something and then fails."""

from pathlib import Path

from benchmarks.gpu_proof.finding import Finding, Rows
from benchmarks.gpu_proof.scale import Scale


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    rows.append({"device": str(scale.device), "scratch": scratch.is_dir()})
    raise RuntimeError("the GPU has fallen off the bus")
