"""Ask a process of its own for a model's ONNX file; what is wrong with such a wish."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.model_archive.handler_source import REFERENCE_HANDLER
from vertex_torchserve.model_archive.members import Members
from vertex_torchserve.model_archive.onnx_export.names import (
    ANSWER_NAME,
    FLOAT_FILE,
    INT8_FILE,
    REQUEST_NAME,
)
from vertex_torchserve.model_archive.spec import ModelArchiveSpec
from vertex_torchserve.packaged_files import REFERENCE_HANDLER_FILE, packaged_file
from vertex_torchserve.serving.archive.bounded_text import shortened

ENGINES = ("auto", "torch", "onnxruntime")
# What exports, beside what serves the model.
_LIBRARIES = ("torch", "transformers", "onnxruntime", "onnx", "onnxscript")
_PROGRAM = "vertex_torchserve.model_archive.onnx_export.program"


@dataclass(frozen=True)
class Exported:
    """What was made.

    Attributes:
        members: Archive name -> file.
        report: What was measured, in lines.
    """

    members: Members
    report: tuple[str, ...]


def takes_onnx(spec: ModelArchiveSpec) -> bool:
    """Whether an ONNX file is wanted."""
    return spec.engine in {"auto", "onnxruntime"}


def made_by_export(spec: ModelArchiveSpec) -> tuple[str, ...]:
    """The ONNX file that `export_model` makes where there is none, by its name in the archive."""
    return (INT8_FILE if spec.quantize else FLOAT_FILE,) if takes_onnx(spec) else ()


def bounds_of(spec: ModelArchiveSpec) -> dict[str, float]:
    """The packager's bounds of int8, by what they bound."""
    given = {"cosine": spec.least_cosine, "agreement": spec.least_agreement}
    return {name: bound for name, bound in given.items() if bound is not None}


def engine_problems(spec: ModelArchiveSpec) -> Iterator[Problem]:
    """What is wrong with the engine, and with int8."""
    if spec.engine is not None and spec.engine not in ENGINES:
        yield Problem(
            f"unknown engine {shortened(repr(spec.engine))}; accepted: {', '.join(ENGINES)}",
            "give one of these",
        )
    elif spec.engine is not None and spec.handler != REFERENCE_HANDLER:
        yield Problem(
            f"engine {spec.engine!r} is for the reference handler, the handler is {spec.handler!r}",
            f"use --handler {REFERENCE_HANDLER}, or leave the engine out",
        )
    if spec.quantize not in {None, "int8"}:
        yield Problem(
            f"unknown quantize {shortened(repr(spec.quantize))}; accepted: int8", "leave it out, or give int8"
        )
    elif spec.quantize and spec.engine != "onnxruntime":
        yield Problem("int8 is run by onnxruntime alone", "give --engine onnxruntime too")
    bounds = bounds_of(spec)
    for name, bound in bounds.items():
        if not 0 < bound <= 1:
            yield Problem(f"least {name} is {bound}; accepted: over 0, up to 1", f"correct --least-{name}")
    if bounds and not spec.quantize:
        yield Problem(
            f"a least {next(iter(bounds))} is of int8, which isn't asked for", "give --quantize int8 too"
        )
    if spec.quantize and not bounds:
        yield Problem(
            "int8 changes the answers, and nothing says by how much it may",
            "give --least-cosine (vectors) or --least-agreement (labels), such as 0.98",
        )
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if takes_onnx(spec) and missing:
        yield Problem(
            f"engine {spec.engine!r} takes {', '.join(missing)} to export the model, which can't be imported",
            "install the extra: pip install 'vertex-torchserve[onnx]'",
        )


def export_model(
    spec: ModelArchiveSpec,
    members: Members,
    config: Mapping[str, Any],
    manifest: str,
    folder: Path,
) -> Exported:
    """Make a model's ONNX file, or hold the one that is there against torch.

    Args:
        spec: With an engine that takes ONNX.
        members: Archive name -> source file.
        config: The archive's model config.
        manifest: The manifest's text.
        folder: Made, to work in.

    Raises:
        InputError: The model can't be exported, gives something else as ONNX, or is below the bound in int8.
        VertexTorchServeError: The export ended in another way.
    """
    # What is made here isn't there yet.
    made = {"onnx_file"} if spec.quantize else set()
    settings = config.get("handler") or {}
    model = folder / "model"
    for name, source in members.items():
        place = model / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source.resolve())
    request = {
        "folder": str(model),
        "manifest": json.loads(manifest),
        "settings": {name: value for name, value in settings.items() if name not in made},
        "engine": spec.engine,
        "int8": spec.quantize == "int8",
        "bounds": bounds_of(spec),
    }
    (folder / REQUEST_NAME).write_text(json.dumps(request), encoding="utf-8")
    handlers = packaged_file(f"handlers/{REFERENCE_HANDLER_FILE}").parent
    path = os.pathsep.join([str(handlers), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [sys.executable, "-m", _PROGRAM, str(folder / REQUEST_NAME)],
        env={**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        lines = ended.stdout.decode(errors="replace").strip().splitlines()
        raise VertexTorchServeError(
            f"exporting the model ended with code {ended.returncode}: {' | '.join(lines[-3:])}",
            "leave the engine out: torch serves the model",
        )
    answer = json.loads((folder / ANSWER_NAME).read_text(encoding="utf-8"))
    if "message" in answer:
        raise InputError(Problem(answer["message"], answer["fix"]))
    return Exported({name: Path(file) for name, file in answer["files"].items()}, tuple(answer["report"]))
