"""What it takes to write vectors as the body of an answer: as an array, and as the lists it was made of.

    python -m benchmarks.answer_writing

For embeddings of 64 texts, and of one: microseconds to write `{"predictions": [...]}` from rows of numpy
float32, and from lists of Python's numbers, `tolist` included; the shortest of 30 runs each. Writes
benchmarks/results/answer_writing.json and .md; ends with an error when a number isn't read back bit for bit.
"""

import argparse
import json
import sys
import timeit
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
            row["lists_bytes"], row["arrays_bytes"],
        )
        for row in measured
    ]  # fmt: skip
    columns = ("float32", "lists: µs", "arrays: µs", "times as fast", "lists: bytes", "arrays: bytes")
    publish(
        "answer_writing", "Vectors as the body of an answer", {"runs": RUNS}, measured,
        table(columns, lines, numbers=True),
        programs={"this": installed_versions(sys.executable, ["numpy", "orjson"])},
    )  # fmt: skip
    return 0


def measure(
    body: Callable[[list[Any]], str], vectors: "numpy.typing.NDArray[numpy.float32]"
) -> dict[str, Any]:
    """Both ways for one array.

    Args:
        body: Writes predictions.
        vectors: Of shape (instances, numbers of each).

    Raises:
        SystemExit: What was written isn't read back bit for bit.
    """
    ways: dict[str, Callable[[], str]] = {
        "lists": lambda: body(vectors.tolist()),
        "arrays": lambda: body(list(vectors)),
    }
    found: dict[str, Any] = {"rows": vectors.shape[0], "columns": vectors.shape[1]}
    for name, way in ways.items():
        text = way()
        if numpy.array(json.loads(text)["predictions"], "float32").tobytes() != vectors.tobytes():
            raise SystemExit(f"{name}: {vectors.shape} isn't read back as it was")
        taken = min(timeit.repeat(way, number=1, repeat=RUNS))
        found |= {f"{name}_microseconds": round(taken * 1e6), f"{name}_bytes": len(text)}
    return found


if __name__ == "__main__":
    sys.exit(main())
