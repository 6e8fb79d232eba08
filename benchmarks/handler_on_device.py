"""The reference handler on a GPU, and on the CPU where there is none: beside transformers, batch for batch.

    python -m benchmarks.handler_on_device

The handler is loaded with TorchServe's model loader, without a server. On the same device, in the same dtype:
sentence embeddings (all-MiniLM-L6-v2) beside the model's own forward pass on one padded batch, text
classification (the same encoder, a seeded head) beside transformers' pipeline with that batch size, and text
generation (a seeded Llama of 6 layers of 512) beside `generate` for one prompt after the other. Before
anything is timed, answers are compared in float32, one batch of mixed lengths a task. The share of time the
GPU is busy is nvidia-smi's. Writes benchmarks/results/handler_on_device.KIND.json and .md; ends with 1
when an answer is wrong. A device that was not there is not measured, and the report says so.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.contenders import clean_up_on_sigterm
from benchmarks.device_models import TASKS, Handler, Task
from benchmarks.gpu_busy import BusyShare
from benchmarks.model_alone import mixed_requests, text
from benchmarks.published import installed_versions, publish, table

SHORT_BATCHES = (1, 8, 32, 128)
MIXED_BATCH = 128
PROMPTS = (1, 8, 32)
Row = dict[str, Any]


def batches(task: Task, most: int) -> dict[str, list[str]]:
    """What is sent at once, by what it is called: short texts, then of 6 to 200 words."""
    sizes = PROMPTS if task.name == "text-generation" else SHORT_BATCHES
    found = {f"{size} short": [text(number) for number in range(size)] for size in sizes if size <= most}
    size = min(max(sizes), most, MIXED_BATCH)
    return {**found, f"{size} mixed": mixed_requests(size)[0]}


def check(task: Task, folder: Path, device: torch.device, most: int) -> None:
    """Compare the handler with the reference, in float32.

    Raises:
        SystemExit: When they differ.
    """
    handler = Handler(folder, device, "float32")
    reference = task.reference(folder, device, torch.float32)
    texts = mixed_requests(min(32, most))[0]
    different = task.difference(handler.predict(texts, task.parameters), reference(texts))
    if different:
        raise SystemExit(f"{task.name}: {different}")


def measure(
    task: Task, folder: Path, device: torch.device, rounds: int, seconds: float, most: int
) -> list[Row]:
    """A row for each round, batch and way; the two take turns."""
    handler = Handler(folder, device)
    sys.stderr.write(f"{task.name}: packs of {handler.pack_tokens} tokens\n")
    reference = task.reference(folder, device, handler.dtype)
    rows: list[Row] = []
    for name, texts in batches(task, most).items():
        ways: dict[str, Callable[[Sequence[str]], Any]] = {
            "handler": lambda texts: handler.predict(texts, task.parameters),
            task.reference_name: reference,
        }
        for call in ways.values():  # kernels chosen, memory taken
            call(texts)
        for number in range(rounds):
            for way, call in ways.items():
                with BusyShare(device) as busy:
                    rate = texts_per_second(call, texts, seconds)
                row = {
                    "round": number + 1, "task": task.name, "batch": name, "way": way,
                    "dtype": str(handler.dtype), "texts_per_second": round(rate, 2), "gpu_busy": busy.share,
                    "pack_tokens": handler.pack_tokens,
                }  # fmt: skip
                sys.stderr.write(f"{row}\n")
                rows.append(row)
    return rows


def texts_per_second(call: Callable[[Sequence[str]], Any], texts: Sequence[str], seconds: float) -> float:
    """Whole batches; their answers are on the host when a call returns."""
    done, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        call(texts)
        done += len(texts)
    return done / (time.perf_counter() - started)


def report(rows: list[Row], device: torch.device) -> str:
    """A table a task, and where the handler was the slower."""
    parts, slower = [device_sentence(device)], []
    for task in TASKS:
        own = [row for row in rows if row["task"] == task.name]
        ways = ("handler", task.reference_name)
        lines = []
        for batch in dict.fromkeys(row["batch"] for row in own):
            found = {way: [row for row in own if (row["batch"], row["way"]) == (batch, way)] for way in ways}
            rates = [statistics.median(row["texts_per_second"] for row in found[way]) for way in ways]
            times = rates[0] / rates[1]
            busy = [busy_share(found[way]) for way in ways]
            lines.append((batch, *(f"{rate:.1f}" for rate in rates), f"{times:.2f}", *busy))
            if times < 1:
                slower.append(f"{task.name}, {batch}: {times:.2f} times {task.reference_name}")
        columns = ("texts at once", *ways, "handler / other", *(f"GPU busy: {way}" for way in ways))
        parts.append(f"## {task.name}\n\n{task.about}\n\n{table(columns, lines, numbers=True)}")
    listed = "\n".join(f"- {line}" for line in slower) or "Nowhere."
    return "\n\n".join([*parts, f"## Where the handler is the slower\n\n{listed}"])


def busy_share(rows: list[Row]) -> str:
    """The median of the rounds, for readers."""
    shares = [row["gpu_busy"] for row in rows if row["gpu_busy"] is not None]
    return f"{statistics.median(shares):.0%}" if shares else "not measured"


def device_sentence(device: torch.device) -> str:
    """On what this was measured."""
    where = "Texts a second, medians of the rounds, measured on "
    if device.type == "cuda":
        return f"{where}{torch.cuda.get_device_name(device)}."
    return (
        "**CUDA was not measured: this machine has no GPU that torch can use.** "
        f"{where}the CPU, {torch.get_num_threads()} threads."
    )


def main() -> int:
    """Check, measure and publish; 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default 5)")
    parser.add_argument("--quick", action="store_true", help="one short round of 8 texts at most")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    rounds, seconds, most = (
        (1, 0.5, 8) if arguments.quick else (arguments.rounds, arguments.seconds, MIXED_BATCH)
    )
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="handler-on-device-") as scratch:
        for task in TASKS:
            folder = Path(scratch) / task.name
            task.save(folder)
            check(task, folder, device, most)
            rows += measure(task, folder, device, rounds, seconds, most)
    document = report(rows, device)
    settings = {"rounds": rounds, "seconds": seconds, "device": str(device)}
    publish(
        "handler_on_device", "The reference handler beside transformers", settings, rows, document,
        trial=arguments.quick, programs={"handler and transformers": installed_versions(sys.executable)},
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "",
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
