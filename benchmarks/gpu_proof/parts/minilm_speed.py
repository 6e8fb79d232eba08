"""Sentence embeddings of all-MiniLM-L6-v2."""

from pathlib import Path

from benchmarks.gpu_proof.finding import Finding, Rows
from benchmarks.gpu_proof.parts.speed import Model, measure, task_named
from benchmarks.gpu_proof.scale import Scale


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Measure it."""
    model = Model(task_named("sentence-embeddings"), "feature-extraction", {}, several=True)
    return measure(model, scale, scratch, rows)
