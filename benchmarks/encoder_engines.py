"""all-MiniLM-L6-v2 by each engine of the reference handler: torch, oneDNN's layers, onnxruntime, int8.

    python -m benchmarks.encoder_engines [--rounds N] [--threads N]

Each is packaged and unpacked as it would be served, and loaded in a process of its own by TorchServe's
loader. The processes take turns, `rounds` times; a figure is the median over the rounds. Measured are whole
requests to the handler, tokenizing included: one short text, 64 short ones, 64 of mixed lengths. Ends with an
error when a float32 engine's vectors differ from torch's by more than 1e-4. Writes
benchmarks/results/encoder_engines.KIND.json and .md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from benchmarks.contenders import MINILM, ROOT
from benchmarks.handler_side import load
from benchmarks.model_alone import MIXED_TEXTS, mixed_requests, text
from benchmarks.published import installed_versions, publish, table
from vertex_torchserve.model_archive.build import build_model_archive
from vertex_torchserve.model_archive.spec import ModelArchiveSpec

SECONDS = 3.0
MOST_DIFFERENCE = 1e-4
# What each is packaged with, and what its model config says besides.
ENGINES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "torch": ({}, {"engine": "torch", "linear_layers": "torch"}),
    "torch, linear_layers: auto": ({}, {"engine": "torch"}),
    "onnxruntime": ({"engine": "onnxruntime"}, {}),
    "onnxruntime, int8": ({"engine": "onnxruntime", "quantize": "int8", "least_cosine": 0.9}, {}),
}
FLOAT32 = [name for name in ENGINES if "int8" not in name]
KINDS = ("one short text", f"{MIXED_TEXTS} short", f"{MIXED_TEXTS} of 6 to 200 words")


def main() -> int:
    """Measure and publish; or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        json.dump(measured(Path(options.side)), sys.stdout)
        return 0
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        folders, told = {}, []
        for number, (name, (wanted, settings)) in enumerate(ENGINES.items()):
            folders[name], report = unpacked(Path(work, str(number)), wanted, settings)
            told += report
        rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in ENGINES}
        for _ in range(options.rounds):
            for name, folder in folders.items():
                rounds[name].append(side(folder, options.threads))
    results = {name: merged(several) for name, several in rounds.items()}
    least = {name: nearness(results[name].pop("vectors"), rounds["torch"][0]["vectors"]) for name in ENGINES}
    for name in FLOAT32:
        if least[name]["difference"] > MOST_DIFFERENCE:
            raise SystemExit(f"{name}: vectors differ from torch's by {least[name]['difference']:.1e}")
    rows = [
        (
            name,
            *(f"{found[kind]:.1f} ({found[kind] / results['torch'][kind]:.2f})" for kind in KINDS),
            f"{least[name]['cosine']:.5f}", f"{found['load']:.1f}",
        )
        for name, found in results.items()
    ]  # fmt: skip
    columns = ("texts a second (x of torch)", *KINDS, "least cosine to torch", "load, s")
    publish(
        "encoder_engines", "all-MiniLM-L6-v2 by each engine of the reference handler",
        {"rounds": options.rounds, "threads": options.threads},
        {name: results[name] | least[name] for name in ENGINES} | {"packaging": told},
        table(columns, rows, numbers=True) + "\n\nPackaging said: " + "; ".join(told) + ".",
        programs={"this": installed_versions(sys.executable, ["torch", "transformers", "onnxruntime"])},
    )  # fmt: skip
    return 0


def unpacked(folder: Path, wanted: dict[str, Any], settings: dict[str, str]) -> tuple[Path, list[str]]:
    """Package the model and unpack it; returns the folder, and what packaging measured.

    Args:
        folder: Is made.
        wanted: Fields of `ModelArchiveSpec`.
        settings: Of the handler.
    """
    folder.mkdir()
    config = folder / "model-config.yaml"
    config.write_text(json.dumps({"handler": settings}))
    spec = ModelArchiveSpec(MINILM, "huggingface", config_file=config, **wanted)
    built = build_model_archive(spec, folder)
    with zipfile.ZipFile(built.mar_path) as archive:
        archive.extractall(folder / "model")
    built.mar_path.unlink()
    return folder / "model", list(built.measured)


def side(folder: Path, threads: int) -> dict[str, Any]:
    """Measure one engine in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.encoder_engines", "--side", folder],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(folder)},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def measured(folder: Path) -> dict[str, Any]:
    """Load, and ask: texts a second by what a request holds, seconds to load, and vectors of one request."""
    started = time.perf_counter()
    send = load(folder)
    found: dict[str, Any] = {"load": time.perf_counter() - started}
    mixed = mixed_requests()
    requests: dict[str, Callable[[int], list[str]]] = {
        KINDS[0]: lambda number: [text(number)],
        KINDS[1]: lambda number: [text(MIXED_TEXTS * number + each) for each in range(MIXED_TEXTS)],
        KINDS[2]: lambda number: mixed[number % len(mixed)],
    }
    for kind, texts in requests.items():
        taken, count, deadline = [], 0, time.perf_counter() + SECONDS
        send({"instances": texts(0)})
        while time.perf_counter() < deadline:
            body = {"instances": texts(count)}
            before = time.perf_counter()
            status, _ = send(body)
            taken.append(time.perf_counter() - before)
            if status != 200:
                raise SystemExit(f"the handler answered {status}")
            count += 1
        found[kind] = len(texts(0)) / statistics.median(taken)
    found["vectors"] = send({"instances": mixed[0]})[1]["predictions"]
    return found


def merged(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; the vectors of the first round."""
    figures = {name: statistics.median(each[name] for each in rounds) for name in ("load", *KINDS)}
    return {**figures, "vectors": rounds[0]["vectors"]}


def nearness(vectors: list[list[float]], right: list[list[float]]) -> dict[str, float]:
    """The least cosine to torch's vectors, and the largest difference of a number."""
    one, two = numpy.array(vectors), numpy.array(right)
    norms = numpy.linalg.norm(one, axis=1) * numpy.linalg.norm(two, axis=1)
    cosines = (one * two).sum(axis=1) / norms
    return {"cosine": float(cosines.min()), "difference": float(abs(one - two).max())}


if __name__ == "__main__":
    sys.exit(main())
