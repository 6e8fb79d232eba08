"""All parts of the proof, one after the other; their findings in one file and one page."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_proof.finding import GOOD, Finding
from benchmarks.gpu_proof.own_process import found_in_own_process
from benchmarks.gpu_proof.page import page
from benchmarks.gpu_proof.part_table import PARTS
from benchmarks.machine import machine
from benchmarks.published import installed_versions

PACKAGES = ("torch", "torchserve", "transformers", "tokenizers", "vertex-torchserve")
NOT_MEASURED = "CUDA was not measured: this machine has no GPU that torch can use."


def run_parts(out: Path, names: Sequence[str] | None, minutes: float, *, short: bool) -> int:
    """Run parts and write what they found, after each of them.

    Args:
        out: Gets gpu_proof.json and gpu_proof.html.
        names: Of the parts; None: all.
        minutes: For all of them. Deadlines are those of ten minutes, longer or shorter in proportion; a part
            that begins late has less.
        short: Measure little.

    Returns:
        The exit code: 0 when all is right or not measured.

    Raises:
        SystemExit: When there is no part of such a name.
    """
    unknown = sorted(set(names or ()) - {part.name for part in PARTS})
    if unknown:
        known = ", ".join(part.name for part in PARTS)
        raise SystemExit(f"no part is called {', '.join(unknown)}; accepted: {known}")
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    report: dict[str, Any] = {**surroundings(), "short": short, "parts": []}
    for part in PARTS:
        if names and part.name not in names:
            continue
        began = time.monotonic()
        left = min(part.seconds * minutes / 10, end - began)
        if left > 1:
            finding = found_in_own_process(part.module, left, short=short)
        else:
            finding = Finding("out of time", f"the {minutes:g} minutes were over before it began")
        took = round(time.monotonic() - began, 1)
        report["parts"].append({"name": part.name, "title": part.title, "took": took, **finding.as_json()})
        (out / "gpu_proof.json").write_text(json.dumps(report, indent=2) + "\n")
        (out / "gpu_proof.html").write_text(page(report), encoding="utf-8")
        sys.stdout.write(f"{part.title}: {finding.outcome}, {took:g} s: {finding.said}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{report['device']['said']}\n{out}/gpu_proof.json, {out}/gpu_proof.html\n")
    return 0 if all(part["outcome"] in GOOD for part in report["parts"]) else 1


def surroundings() -> dict[str, Any]:
    """Date, machine, GPU and versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "device": gpu(),
        "versions": installed_versions(sys.executable, PACKAGES),
    }


def gpu() -> dict[str, Any]:
    """The first GPU; `measured` is False where torch can use none, and `said` says so."""
    if not torch.cuda.is_available():
        return {"measured": False, "said": NOT_MEASURED}
    properties = torch.cuda.get_device_properties(0)
    found = {
        "name": properties.name, "count": torch.cuda.device_count(), "cuda": torch.version.cuda,
        "driver": _driver(), "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
    }  # fmt: skip
    said = (
        f"Measured on {found['count']} x {found['name']}, {found['memory_gib']} GiB, driver {found['driver']}"
    )
    return {"measured": True, "said": f"{said}, CUDA {found['cuda']}.", **found}


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return (answer.stdout.split() or ["unknown"])[0]
