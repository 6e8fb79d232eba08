"""What it takes to write vectors as the body of an answer: as arrays, in base64, and as lists of numbers.

    python -m benchmarks.answer_writing

For embeddings of 64 texts, and of one: microseconds to write `{"predictions": [...]}` from rows of numpy
float32, from their 32-bit floats in base64, as `encoding: base64` gives them, and from lists of Python's
numbers, `tolist` included; the shortest of 30 runs each. Writes
benchmarks/results/answer_writing.KIND.json and .md; ends with an error when a number isn't read back bit
for bit.
"""

import argparse
import json
import sys
import timeit
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.published import installed_versions, publish, table
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

SHAPES = ((1, 384), (64, 384), (64, 1024))
RUNS = 30
SEED = 7


def main() -> int:
    """Measure and publish."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    register_envelope()
    from ts.torch_handler.request_envelope.instances.response import predictions_body

    random = numpy.random.default_rng(SEED)
    measured = [measure(predictions_body, random.standard_normal(shape, "float32")) for shape in SHAPES]
    lines = [
        (
            f"{row['rows']} x {row['columns']}", row["lists_microseconds"], row["arrays_microseconds"],
            f"{row['lists_microseconds'] / row['arrays_microseconds']:.0f}",
            row["base64_microseconds"], row["lists_bytes"], row["arrays_bytes"], row["base64_bytes"],
        )
        for row in measured
    ]  # fmt: skip
    columns = (
        "float32", "lists: µs", "arrays: µs", "times as fast", "base64: µs",
        "lists: bytes", "arrays: bytes", "base64: bytes",
    )  # fmt: skip
    publish(
        "answer_writing", "Vectors as the body of an answer", {"runs": RUNS}, measured,
        table(columns, lines, numbers=True),
        programs={"this": installed_versions(sys.executable, ["numpy", "orjson"])},
    )  # fmt: skip
    return 0


def measure(
    body: Callable[[list[Any]], str], vectors: "numpy.typing.NDArray[numpy.float32]"
) -> dict[str, Any]:
    """All ways for one array.

    Args:
        body: Writes predictions.
        vectors: Of shape (instances, numbers of each).

    Raises:
        SystemExit: What was written isn't read back bit for bit.
    """
    ways: dict[str, Callable[[], str]] = {
        "lists": lambda: body(vectors.tolist()),
        "arrays": lambda: body(list(vectors)),
        "base64": lambda: body([b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]),
    }
    found: dict[str, Any] = {"rows": vectors.shape[0], "columns": vectors.shape[1]}
    for name, way in ways.items():
        text = way()
        read = json.loads(text)["predictions"]
        numbers = map(_floats, read) if name == "base64" else read
        if numpy.array(list(numbers), "float32").tobytes() != vectors.tobytes():
            raise SystemExit(f"{name}: {vectors.shape} isn't read back as it was")
        taken = min(timeit.repeat(way, number=1, repeat=RUNS))
        found |= {f"{name}_microseconds": round(taken * 1e6), f"{name}_bytes": len(text)}
    return found


def _floats(text: str) -> "numpy.typing.NDArray[numpy.float32]":
    return numpy.frombuffer(b64decode(text), "<f4")


if __name__ == "__main__":
    sys.exit(main())
