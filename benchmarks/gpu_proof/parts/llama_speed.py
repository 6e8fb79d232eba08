"""Generation by a seeded Llama of six layers."""

from pathlib import Path

from benchmarks.device_models import GENERATE
from benchmarks.gpu_proof.finding import Finding, Rows
from benchmarks.gpu_proof.parts.speed import Model, measure, task_named
from benchmarks.gpu_proof.scale import Scale


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Measure it."""
    call = {**GENERATE, "return_full_text": False}
    model = Model(task_named("text-generation"), "text-generation", call, several=False)
    return measure(model, scale, scratch, rows)
