"""Does the reference handler survive what clients send? 10,000 instances and parameters over all its tasks.

    PYTHONPATH=handlers python -m benchmarks.handler_fuzz

The instances are those of testbed/fuzzing.py: senseless, nearly valid and valid
ones, each in a request of its own, up to four in a batch, all to models in this process. Right is an answer
or a refusal that says it was the client's mistake (400, 413, 415, 422), and a model that answers afterwards.
"""

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.published import installed_versions, publish, table


def main() -> None:
    """Run every task and publish what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000, help="in all")
    instances = parser.parse_args().instances
    warnings.simplefilter("ignore")
    import torch

    from testbed.fuzzing import ACCEPTED, Fuzzed
    from testbed.tiny_models import FIRST_OF_TASKS

    torch.set_num_threads(1)
    results: dict[str, dict[str, Any]] = {}
    for name in FIRST_OF_TASKS:
        with tempfile.TemporaryDirectory(prefix="vts-") as folder:
            fuzzed = Fuzzed(name, Path(folder, "model"))
            started = time.monotonic()
            fuzzed.run(-(-instances // len(FIRST_OF_TASKS)))
            results[name] = {
                "seconds": round(time.monotonic() - started, 1),
                "statuses": {str(status): count for status, count in sorted(fuzzed.statuses.items())},
                "mistakes": len(fuzzed.mistakes),
                "answers_afterwards": fuzzed.is_alive(),
            }
    statuses = sorted(
        {int(status) for result in results.values() for status in result["statuses"]} | ACCEPTED
    )
    rows = [
        [name, *(result["statuses"].get(str(status), 0) for status in statuses), f"{result['seconds']:.1f}"]
        for name, result in results.items()
    ]
    rows.append(["all", *(sum(row[column] for row in rows) for column in range(1, len(statuses) + 1)), ""])
    wrong = sum(result["mistakes"] for result in results.values())
    dead = [name for name, result in results.items() if not result["answers_afterwards"]]
    text = (
        f"{table(['task', *map(str, statuses), 'seconds'], rows, numbers=True)}\n\n"
        f"Neither an answer nor a refusal: {wrong}. Models that answer no more: {', '.join(dead) or 'none'}."
    )
    publish(
        "handler_fuzz", "The reference handler under 10,000 fuzzed instances", {"instances": instances},
        results, text, trial=instances < 10_000,
        programs={"this process": installed_versions(sys.executable)},
    )  # fmt: skip
    sys.exit(bool(wrong or dead))


if __name__ == "__main__":
    main()
