"""Every task's tiny model on the GPU, beside what the same model answers on this machine's CPU."""

import base64
import io
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from benchmarks.gpu_proof.finding import Finding, Row, Rows, judged
from benchmarks.gpu_proof.loaded import LoadedModel
from benchmarks.gpu_proof.scale import Scale
from testbed.packaged_models import request
from testbed.tiny_models import CATALOGUE, FIRST_OF_TASKS, make
from vertex_torchserve.serving.archive.answer_differences import differences

# cuDNN's convolutions take TF32 for float32, with ten bits of the mantissa.
TOLERANCE = 5e-3
# Of a mask, as a share: those at the edges of regions, which are told apart by the largest of such numbers.
MOST_PIXELS = 0.01
SHORT_STEP = 4  # in the short form every fourth task


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Compare float32 with float32; with the GPU's own dtype every model has to answer."""
    problems = []
    for name in CATALOGUE if scale.every_model else FIRST_OF_TASKS[::SHORT_STEP]:
        lacking = [each for each in CATALOGUE[name].packages if not _is_installed(each)]
        if lacking:
            rows.append({"model": name, "float32": f"not measured: {', '.join(lacking)} is not installed"})
            continue
        try:
            row = _row(name, scratch / name, on_gpu=scale.on_gpu)
        except Exception as error:  # the other models are still to be tried
            row = {"model": name, "float32": f"failed: {type(error).__name__}: {error}"[:300]}
        rows.append(row)
        if row["float32"] != "as on the CPU":
            problems.append(f"{name}: {row['float32']}")
    said = f"{len(rows)} models answer as on the CPU, to {TOLERANCE:g}"
    if not scale.on_gpu:
        said += "; both are this CPU's answers: gpu_id 0 where there is no GPU, and none"
    return judged(problems, said, rows)


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _row(name: str, scratch: Path, *, on_gpu: bool) -> Row:
    folder, body = make(name, scratch), request(name)
    task = {"task": CATALOGUE[name].task}
    expected = LoadedModel(folder, None, {**task, "dtype": "float32"}).predictions(body)
    exact = LoadedModel(folder, 0, {**task, "dtype": "float32"})
    row: Row = {
        "model": name,
        "device": exact.device,
        "float32": _compared(expected, exact.predictions(body)),
    }
    if on_gpu:
        own = LoadedModel(folder, 0, task)
        row[f"auto ({own.dtype})"] = _compared(expected, own.predictions(body))
    return row


def _compared(expected: list[Any], got: list[Any]) -> str:
    _set_alike_masks(expected, got)
    found = list(differences(expected, got, "predictions", TOLERANCE))
    if not found:
        return "as on the CPU"
    apart = max((each.by for each in found if each.by is not None), default=None)
    largest = f", numbers up to {apart:.2g} apart" if apart is not None else ""
    return f"{len(found)} differences{largest}; the first: {found[0].said}"[:300]


def _set_alike_masks(expected: list[Any], got: list[Any]) -> None:
    """Put the expected mask of a region in the place of one that differs from it in few pixels.

    A mask is a PNG file as text, another one as soon as one pixel at the edge of a region is.
    """
    for right, other in zip(expected, got, strict=True):
        if isinstance(right, list):
            for one, two in zip(right, other, strict=False):
                if isinstance(one, dict) and "mask" in one and _are_alike(one["mask"], two["mask"]):
                    two["mask"] = one["mask"]


def _are_alike(expected: str, got: str) -> bool:
    right, other = (numpy.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in (expected, got))
    return right.shape == other.shape and bool((right != other).mean() <= MOST_PIXELS)
