"""Kill the component at random moments, again and again, and try it again: is there always one version?

    python -m benchmarks.component_kills

Each trial has a model of its own: the component is started, killed with SIGKILL at a random moment of its
time, and started again, every fourth time twice at once. In the second half of the trials somebody else
uploads larger models all the time. Right is: every retry ended well, there is one version, its folder holds
one archive, and no lease is left. Writes component_kills.KIND.json and component_kills.md in
benchmarks/results; ends with 1 when a trial is not right.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from benchmarks.published import installed_versions, publish, table
from testbed.killed_component import MODEL_BYTES, NEIGHBOUR_BYTES, Cloud, Trial, cloud
from vertex_torchserve.vertex_ai.lease import LEASE_SECONDS

KILLS = 100
AT_ONCE = 5
_TWICE = 4
_SURROUNDINGS = {False: "alone", True: "busy"}
Row = dict[str, Any]


def main() -> int:
    """Run the trials, publish, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=KILLS, help="fewer than 100 are not published")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 (not a secret)
    trials = []
    with cloud() as running:
        _seconds(running, "first")  # imports what the processes of the trials have from the start
        for is_busy in _SURROUNDINGS:
            with running.busy() if is_busy else nullcontext():
                trials += _round(running, arguments.kills // 2, chance, is_busy)
    results = {
        name: summary([each for each in trials if each.is_busy == busy])
        for busy, name in _SURROUNDINGS.items()
    }
    rows = [(key.replace("_", " "), *(row[key] for row in results.values())) for key in results["alone"]]
    text = (
        "SIGKILL at a random moment of the component's run, then the same component again, every fourth time "
        f"twice at once; {AT_ONCE} trials run at the same time. Busy: somebody else uploads models of "
        f"{NEIGHBOUR_BYTES >> 20} MiB all the time. A retry that follows a kill during the upload waits for "
        f"{LEASE_SECONDS:.0f} s. The emulator is the registry."
    )
    publish(
        "component_kills", "The component, killed and tried again",
        {"kills": len(trials), "at_once": AT_ONCE, "model_bytes": MODEL_BYTES, "seed": arguments.seed},
        {**results, "trials": [asdict(trial) for trial in trials]},
        f"{text}\n\n{table(('', *results), rows, numbers=True)}", trial=len(trials) < KILLS,
        programs={"all": installed_versions(sys.executable, ("kfp", "google-cloud-aiplatform"))},
    )  # fmt: skip
    return 0 if all(trial.is_right for trial in trials) else 1


def _round(running: Cloud, kills: int, chance: random.Random, is_busy: bool) -> list[Trial]:
    """Trials with kills anywhere in the time that the component takes here, beside as many others."""
    kind = _SURROUNDINGS[is_busy]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        whole = max(pool.map(lambda number: _seconds(running, f"{kind}-whole-{number}"), range(AT_ONCE)))
        moments = [chance.uniform(0.0, whole) for _ in range(kills)]

        def trial(number: int) -> Trial:
            retries = 2 if number % _TWICE == 0 else 1
            seen = running.trial(f"{kind}-{number}", moments[number], retries=retries, is_busy=is_busy)
            sys.stderr.write(f"{kind} {number}: {seen}\n")
            return seen

        return list(pool.map(trial, range(kills)))


def _seconds(running: Cloud, name: str) -> float:
    """How long the component takes when nobody kills it."""
    process, began = running.start(running.inputs(name)), time.monotonic()
    process.join()
    return time.monotonic() - began


def summary(trials: Sequence[Trial]) -> Row:
    """What came of the trials of one kind."""
    return {
        "kills": len(trials),
        "met_it_at_work": sum(trial.was_alive for trial in trials),
        "retries": sum(trial.retries for trial in trials),
        "retries_that_ended_well": sum(trial.retries_ended_well for trial in trials),
        "retries_that_waited_for_a_lease": sum(trial.retry_seconds >= LEASE_SECONDS for trial in trials),
        "one_version": sum(trial.versions == 1 for trial in trials),
        "one_archive_in_the_folder": sum(trial.archives == 1 for trial in trials),
        "no_lease_left": sum(trial.notes == 0 for trial in trials),
        "median_seconds_of_a_retry": statistics.median(trial.retry_seconds for trial in trials),
    }


if __name__ == "__main__":
    raise SystemExit(main())
