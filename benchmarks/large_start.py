"""From the start of the server to ready with 4 GB of weights, beside a Python that loads them.

    python -m benchmarks.large_start [--layers N]

A seeded BERT of 1.02 billion parameters in float32, in an archive in a local folder; everything is in the
page cache. Beside it, a Python that imports torch and transformers, loads the same folder and answers one
short text. The two take turns; the medians of the rounds are compared. Then ours with `linear_layers: torch`,
without the copies of weights in oneDNN's layout that make such a model faster, from an archive in the other's
place: both would not fit the page cache of 24 GB of memory. Needs 13 GB of disk and 20 GB of memory; five
minutes. Writes benchmarks/results/large_start.KIND.json and .md.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
import transformers

from benchmarks.contenders import MINILM, clean_up_on_sigterm, package
from benchmarks.published import installed_versions, publish, table
from vertex_torchserve.serving.local_server import ServingProcess

LAYERS, HIDDEN = 19, 2048
ROUNDS = 3
READY_SECONDS = 600.0
TARGET = 1.3
LOADED, OURS, UNCOPIED = "a Python that loads the weights", "ours", "ours, linear_layers: torch"
LOAD = """\
import sys
import torch, transformers
model = transformers.AutoModelForSequenceClassification.from_pretrained(sys.argv[1]).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
with torch.inference_mode():
    model(**tokenizer("a text", return_tensors="pt"))
"""


def write_model(folder: Path, layers: int) -> int:
    """A seeded encoder of so many layers; returns the bytes of its weights."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(MINILM)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=layers,
        num_attention_heads=HIDDEN // 64, intermediate_size=4 * HIDDEN,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config)
    model.save_pretrained(folder, max_shard_size="100GB")
    tokenizer.save_pretrained(folder)
    return (folder / "model.safetensors").stat().st_size


def load(folder: Path) -> float:
    """Seconds of a Python that loads the weights and answers."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", LOAD, folder], check=True, capture_output=True, timeout=600)
    return time.monotonic() - began


def start(store: Path) -> float:
    """Seconds from the start of our server until `/ping` says ready."""
    began = time.monotonic()
    with ServingProcess({"AIP_STORAGE_URI": str(store)}) as server:
        server.wait_ready(READY_SECONDS)
        return time.monotonic() - began


def rounds_of(count: int, ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Seconds of each way, by turns."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(count):
        for way, run in ways.items():
            taken[way].append(round(run(), 2))
            sys.stderr.write(f"{way}: {taken[way][-1]} s\n")
    return taken


def main() -> int:
    """Measure and publish; 1 when it takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=LAYERS, help=f"of the model (default {LAYERS}: 4.1 GB)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="large-start-") as scratch:
        folder, store = Path(scratch, "model"), Path(scratch, "store")
        weights = write_model(folder, arguments.layers)
        package(folder, store)
        taken = rounds_of(arguments.rounds, {LOADED: lambda: load(folder), OURS: lambda: start(store)})
        (folder / "model-config.yaml").write_text("handler:\n  linear_layers: torch\n")
        package(folder, store, "--force")
        taken |= rounds_of(arguments.rounds, {UNCOPIED: lambda: start(store)})
    alone = median(taken[LOADED])
    rows = [
        (way, f"{median(seconds):.1f}", f"{max(seconds):.1f}", f"{median(seconds) / alone:.2f}")
        for way, seconds in taken.items()
    ]
    text = table(("way", "median, s", "slowest, s", f"times {LOADED}"), rows, numbers=True) + (
        f"\n\n{weights / 1e9:.2f} GB of weights. {TARGET:g} times is the most that is wanted."
    )
    settings = {"rounds": arguments.rounds, "layers": arguments.layers}
    publish(
        "large_start", "Ready with 4 GB of weights", settings, {"weights": weights, "seconds": taken}, text,
        trial=arguments.layers != LAYERS or arguments.rounds < ROUNDS,
        programs={"this Python": installed_versions(sys.executable)},
    )  # fmt: skip
    return int(median(taken[OURS]) > TARGET * alone)


if __name__ == "__main__":
    sys.exit(main())
