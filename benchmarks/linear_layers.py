"""Linear layers of float32 on this CPU: by torch's default, and by oneDNN as in the reference handler.

    PYTHONPATH=handlers python -m benchmarks.linear_layers

For layers of the sizes of MiniLM, BERT base, a small language model and its head: microseconds a call for 1
to 256 rows, with one thread and with all cores, the shortest of seven runs. Each run goes through so many
weights that they don't fit into the CPU's caches, as a whole model's don't. Writes
benchmarks/results/linear_layers.KIND.json and .md; ends with an error when results differ.
"""

import argparse
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.published import installed_versions, publish, table
from hf_handler.linear_layers import by_onednn, in_onednn_layout, least_seconds

# (in, out): a feed-forward layer of MiniLM and of BERT base, an attention layer, a head of 32,000 tokens.
SHAPES = ((384, 1536), (768, 3072), (2048, 2048), (768, 32000))
ROWS = (1, 4, 16, 64, 256)
CACHE_BYTES = 128 * 2**20
TIMES = 7
SEED = 7
linear: Callable[..., torch.Tensor] = torch.nn.functional.linear


def measure(shape: tuple[int, int], rows: int) -> dict[str, Any]:
    """Microseconds of one call, each way.

    Raises:
        SystemExit: When the two give something else.
    """
    columns, outputs = shape
    count = max(2, CACHE_BYTES // (4 * columns * outputs))
    inputs, bias = torch.randn(rows, columns), torch.randn(outputs)
    weights = [torch.randn(outputs, columns) for _ in range(count)]
    copies = [in_onednn_layout(weight) for weight in weights]
    expected, found = linear(inputs, weights[0], bias), by_onednn(inputs, copies[0], bias)
    if not torch.allclose(expected, found, rtol=1e-3, atol=1e-3):
        raise SystemExit(f"{shape}, {rows} rows: the results differ by {(expected - found).abs().max():.2g}")
    ways = {"torch": (linear, weights), "onednn": (by_onednn, copies)}
    taken = {
        name: least_seconds(functools.partial(_through, way, inputs, given, bias), TIMES) / count
        for name, (way, given) in ways.items()
    }
    return {f"{name}_microseconds": round(seconds * 1e6, 1) for name, seconds in taken.items()}


def _through(
    way: Callable[..., torch.Tensor], inputs: torch.Tensor, weights: list[torch.Tensor], bias: torch.Tensor
) -> None:
    for weight in weights:
        way(inputs, weight, bias)


def main() -> int:
    """Measure and publish."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.manual_seed(SEED)
    measured: list[dict[str, Any]] = []
    with torch.inference_mode():
        for threads in sorted({1, os.cpu_count() or 1}):
            torch.set_num_threads(threads)
            for shape in SHAPES:
                for rows in ROWS:
                    row = {"threads": threads, "in": shape[0], "out": shape[1], "rows": rows}
                    measured.append(row | measure(shape, rows))
                    sys.stderr.write(f"{measured[-1]}\n")
    lines = [
        (
            f"{row['in']} x {row['out']}", row["rows"], row["threads"], row["torch_microseconds"],
            row["onednn_microseconds"], f"{row['torch_microseconds'] / row['onednn_microseconds']:.2f}",
        )
        for row in measured
    ]  # fmt: skip
    columns = ("layer", "rows", "threads", "torch", "oneDNN", "times as fast")
    settings = {"torch_uses": torch.backends.cpu.get_cpu_capability(), "runs": TIMES}
    publish(
        "linear_layers", "Linear layers of float32 on the CPU", settings, measured,
        f"Microseconds a call:\n\n{table(columns, lines, numbers=True)}",
        programs={"torch": installed_versions(sys.executable)},
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
