"""A worker's `gpu_id` and `handler.dtype` decide where its model is and what its numbers are."""

from pathlib import Path

import torch

from benchmarks.gpu_proof.finding import Finding, Rows, judged
from benchmarks.gpu_proof.loaded import LoadedModel
from benchmarks.gpu_proof.scale import Scale
from testbed.tiny_models import make


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Load one model with each `gpu_id` and dtype."""
    folder = make("text-classification", scratch / "model")
    gpus = range(torch.cuda.device_count())
    asked: list[tuple[int | None, str]] = [(None, "auto"), (0, "auto"), (0, "float32"), (0, "float16")]
    asked += [(gpu, "auto") for gpu in gpus if gpu]
    problems = []
    for gpu_id, dtype in asked:
        if not scale.on_gpu and dtype == "float16":
            continue  # nobody serves half precision on a CPU
        model = LoadedModel(folder, gpu_id, {"dtype": dtype})
        expected = expected_place(gpu_id, dtype, gpus=len(gpus))
        found = (model.device, model.dtype)
        rows.append(
            {
                "gpu_id": gpu_id,
                "handler.dtype": dtype,
                "device": model.device,
                "dtype of weights": model.dtype,
            }
        )
        if found != expected:
            problems.append(f"gpu_id {gpu_id}, dtype {dtype}: {found}, expected {expected}")
    said = "each model is where its gpu_id says" if scale.on_gpu else "with no GPU each model is on the CPU"
    return judged(problems, f"{said}, in the dtype that the settings say", rows)


def expected_place(gpu_id: int | None, dtype: str, *, gpus: int) -> tuple[str, str]:
    """Device and dtype, as handlers/README.md describes them.

    Args:
        gpu_id: What TorchServe gives the worker.
        dtype: `handler.dtype`.
        gpus: How many torch can use.
    """
    if gpu_id is None or not gpus:
        return "cpu", "float32" if dtype == "auto" else dtype
    half = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    return f"cuda:{gpu_id}", half if dtype == "auto" else dtype
