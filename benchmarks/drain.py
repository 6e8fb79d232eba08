"""How many accepted requests a SIGTERM under load loses: our launcher and TorchServe's own main class.

    python benchmarks/drain.py --trials 100

Each trial starts TorchServe with two workers (a handler of 50 ms, batches of up to four), lets eight
clients ask without a pause, sends SIGTERM to the JVM at a random moment, and accounts for every request
sent on a connection that was accepted. The two take turns, with the same moments. Writes
`benchmarks/results/drain.json`.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integration" / "jvm")]

from drain_trial import CLIENTS, Trial, run_trial  # noqa: E402 (the trial the tests run too)
from jvm_server import LAUNCHER, STOCK  # noqa: E402

RESULT = ROOT / "benchmarks" / "results" / "drain.json"


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, help="SIGTERMs for each of the two (default 100)")
    trials: int = parser.parse_args().trials
    outcomes: dict[str, list[Trial]] = {"ours": [], "stock": []}
    for seed in range(trials):
        for name, main_class in (("ours", LAUNCHER), ("stock", STOCK)):
            with tempfile.TemporaryDirectory(prefix="drain-") as work:
                outcome = run_trial(Path(work), main_class, seed)
            outcomes[name].append(outcome)
            sys.stderr.write(f"{seed + 1}/{trials} {name}: lost {len(outcome.lost)}\n")
    result = {
        "trials": trials,
        "clients": CLIENTS,
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        **{name: summary(done) for name, done in outcomes.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print_table(result)


def summary(trials: Sequence[Trial]) -> dict[str, Any]:
    """What one of the two did in all its trials."""
    stops = sorted(trial.stop_seconds for trial in trials)
    return {
        "accepted": sum(trial.answered + len(trial.lost) for trial in trials),
        "lost": sum(len(trial.lost) for trial in trials),
        "trials_with_a_loss": sum(bool(trial.lost) for trial in trials),
        "losses": dict(Counter(line for trial in trials for line in trial.lost)),
        "exit_codes": dict(Counter(str(trial.exit_code) for trial in trials)),
        "stop_seconds_median": round(stops[len(stops) // 2], 2),
        "stop_seconds_max": round(stops[-1], 2),
        "orphans": sum(trial.orphans for trial in trials),
    }


def print_table(result: dict[str, Any]) -> None:
    """Side by side."""
    print(f"{result['trials']} SIGTERMs each, {CLIENTS} clients, {result['machine']}")
    print(f"{'':22}{'ours':>12}{'stock':>12}")
    for key in result["ours"]:
        if key != "losses":
            ours, stock = (_cell(result[name][key]) for name in ("ours", "stock"))
            print(f"{key.replace('_', ' '):22}{ours:>12}{stock:>12}")


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}x{count}" for key, count in value.items())
    return str(value)


if __name__ == "__main__":
    main()
