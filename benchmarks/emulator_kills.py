"""Kill the storage emulator during object writes, again and again: does it start, and what has it lost?

    python -m benchmarks.emulator_kills

Each trial starts the emulator on the folder of the trial before, writes, replaces and deletes objects without
a pause, sends SIGKILL at a random moment, starts it again and reads every object. Lost is an object that is
not as was acknowledged last; the one request that was not answered may have happened or not. Stock is
gcp-storage-emulator's own command, which gets an empty folder when it doesn't start again. Writes
benchmarks/results/emulator_kills.KIND.json and emulator_kills.md; ends with 1 when ours is not as it must be.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.published import installed_versions, publish, table, with_counts
from testbed.killed_storage import LATEST_KILL_SECONDS, MOST_BYTES, NAMES, Trial, ours, run_trials, stock

COMMANDS = {"ours": ours, "stock": stock}
KILLS = 100
Row = dict[str, Any]


def main() -> int:
    """Run the trials, publish, and judge ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kills", type=int, default=KILLS, help="kills of ours (default 100); fewer are not published"
    )
    parser.add_argument("--stock-kills", type=int, default=20, help="and of stock (default 20)")
    arguments = parser.parse_args()
    kills = {"ours": arguments.kills, "stock": arguments.stock_kills}
    results = {name: summary(_trials(name, kills[name])) for name in COMMANDS}
    rows = [
        (key.replace("_", " "), *(with_counts(results[name][key]) for name in COMMANDS))
        for key in results["ours"]
    ]
    settings = {"objects": len(NAMES), "most_bytes": MOST_BYTES, "latest_kill_seconds": LATEST_KILL_SECONDS}
    text = (
        "SIGKILL at a random moment while one client writes, replaces and deletes objects without a pause; "
        "then the emulator is started again on its folder and every object is read. Stock is "
        "gcp-storage-emulator's own command; it gets an empty folder when it doesn't start again."
    )
    publish(
        "emulator_kills", "The storage emulator, killed during writes", settings, results,
        f"{text}\n\n{table(('', *COMMANDS), rows, numbers=True)}", trial=arguments.kills < KILLS,
        programs={"both": installed_versions(sys.executable, ("gcp-storage-emulator",))},
    )  # fmt: skip
    ours_is_right = results["ours"]["started_again"] == kills["ours"] and not results["ours"]["objects_lost"]
    return 0 if ours_is_right else 1


def _trials(name: str, kills: int) -> list[Trial]:
    trials = []
    with tempfile.TemporaryDirectory(prefix="emulator-kills-") as work:
        folder = Path(work) / "data"
        folder.mkdir()
        for trial in run_trials(COMMANDS[name], folder, kills):
            trials.append(trial)
            sys.stderr.write(f"{name} {len(trials)}: {trial}\n")
    return trials


def summary(trials: Sequence[Trial]) -> Row:
    """What one of the two did in all its trials."""
    return {
        "kills": len(trials),
        "acknowledged_requests": sum(trial.acknowledged for trial in trials),
        "started_again": sum(trial.started for trial in trials),
        "kills_with_a_loss": sum(bool(trial.lost) for trial in trials),
        "objects_lost": sum(len(trial.lost) for trial in trials),
        "why_it_did_not_start": dict(
            Counter(trial.error.partition(":")[0] for trial in trials if not trial.started)
        ),
    }


if __name__ == "__main__":
    raise SystemExit(main())
