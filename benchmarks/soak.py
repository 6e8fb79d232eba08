"""Ten minutes of all-MiniLM-L6-v2 at concurrency 8: does our server hold more and more?

    python -m benchmarks.soak

Eight clients send one short text after the other, and open a new connection after every 200. Every five
seconds: memory and open descriptors of the JVM and of each worker, and the files in the server's temporary
folder. Flat is a slope of memory, by least squares from the second minute on, of less than 1 MiB a minute.
Writes benchmarks/results/soak.KIND.json, soak.md and soak.svg; ends with 1 when something is not flat or
is left.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contenders import package_minilm
from benchmarks.footprint import Footprint, footprint
from benchmarks.published import RESULTS, TRIALS, installed_versions, publish, table
from benchmarks.soak_plot import draw
from benchmarks.steady_load import SteadyLoad
from testbed.deadlines import READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

CLIENTS = 8
MINUTES = 10.0
SAMPLE_SECONDS = 5.0
WARM_UP_SECONDS = 10.0
# Of a run that is shorter, the second half.
STEADY_MINUTES = 2.0
MOST_MIB_A_MINUTE = 1.0
IDLE_SECONDS = 5.0
Sample = tuple[float, Footprint]


def main() -> int:
    """Measure, publish, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=MINUTES, help="default 10; fewer are not published")
    minutes = parser.parse_args().minutes
    steady = min(STEADY_MINUTES, minutes / 2)
    found = _soak(minutes * 60)
    samples: list[Sample] = found.pop("samples")
    slopes = {name: _slope(samples, name, steady) for name in samples[0][1].processes}
    failures = _failures(slopes, samples, found)
    trial = minutes < MINUTES
    results = {
        **found,
        "mib_a_minute": slopes,
        "not_reached": failures,
        "samples": [{"minutes": round(moment, 3), **asdict(each)} for moment, each in samples],
    }
    publish(
        "soak", "Ten minutes of all-MiniLM-L6-v2 at concurrency 8",
        {"minutes": minutes, "clients": CLIENTS, "steady_from_minute": steady},
        results, _report(samples, slopes, found, steady), trial=trial,
        programs={"ours": installed_versions(sys.executable)},
    )  # fmt: skip
    draw(samples, steady, (TRIALS if trial else RESULTS) / "soak.svg")
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


def _soak(seconds: float) -> dict[str, Any]:
    """Serve and ask; what was held with nobody connected before and after, and the samples between."""
    with tempfile.TemporaryDirectory(prefix="soak-") as work:
        store, temporary = Path(work) / "store", Path(work) / "tmp"
        temporary.mkdir()
        package_minilm(store)
        environment = {"AIP_STORAGE_URI": str(store), "TMPDIR": str(temporary)}
        with ServingProcess(environment, log_path=Path(work) / "log") as server:
            server.wait_ready(READY_SECONDS)
            process, port = psutil.Process(server.pid), int(server.base_url.rpartition(":")[2])
            with SteadyLoad(port, CLIENTS):
                time.sleep(WARM_UP_SECONDS)
            before = _idle(process, temporary)
            samples: list[Sample] = []
            began = time.monotonic()
            with SteadyLoad(port, CLIENTS) as load:
                while (moment := time.monotonic() - began) < seconds:
                    samples.append((moment / 60, footprint(process, temporary)))
                    sys.stderr.write(f"{moment:.0f} s: {samples[-1][1]}\n")
                    time.sleep(SAMPLE_SECONDS)
            after = _idle(process, temporary)
        left = sorted(str(path.relative_to(temporary)) for path in temporary.rglob("*"))
    return {
        "requests": load.answered,
        "failed": load.failed,
        "idle_before": asdict(before),
        "idle_after": asdict(after),
        "files_left_by_the_stop": left,
        "samples": samples,
    }


def _idle(process: psutil.Process, temporary: Path) -> Footprint:
    """What is held once the clients' connections have ended."""
    time.sleep(IDLE_SECONDS)
    return footprint(process, temporary)


def _slope(samples: list[Sample], process: str, steady: float) -> float:
    chosen = [(moment, each.processes[process].rss_mib) for moment, each in samples if moment >= steady]
    return round(statistics.linear_regression(*zip(*chosen, strict=True)).slope, 3)


def _failures(slopes: dict[str, float], samples: list[Sample], found: dict[str, Any]) -> list[str]:
    failures = [
        f"{name} grows by {slope} MiB a minute"
        for name, slope in slopes.items()
        if slope >= MOST_MIB_A_MINUTE
    ]
    before, after = found["idle_before"], found["idle_after"]
    for name, held in after["processes"].items():
        now, then = held["descriptors"], before["processes"][name]["descriptors"]
        if now > then:
            failures.append(f"{name} has {now} descriptors open, {then} before")
    if after["files"] > before["files"]:
        failures.append(f"{after['files']} temporary files, {before['files']} before")
    if found["files_left_by_the_stop"]:
        failures.append(f"left by the stop: {', '.join(found['files_left_by_the_stop'])}")
    if found["failed"] or not found["requests"]:
        failures.append(f"{found['failed']} of {found['requests']} requests failed")
    if any(each.processes.keys() != samples[0][1].processes.keys() for _, each in samples):
        failures.append("a process ended")
    return failures


def _report(samples: list[Sample], slopes: dict[str, float], found: dict[str, Any], steady: float) -> str:
    first = next(each for moment, each in samples if moment >= steady)
    last = samples[-1][1]
    before, after = found["idle_before"], found["idle_after"]
    rows = [
        (
            name,
            f"{first.processes[name].rss_mib:.0f} ({first.processes[name].pss_mib:.0f})",
            f"{last.processes[name].rss_mib:.0f} ({last.processes[name].pss_mib:.0f})",
            f"{slope:+.2f}",
            before["processes"][name]["descriptors"],
            after["processes"][name]["descriptors"],
        )
        for name, slope in slopes.items()
    ]
    columns = (
        "", f"MiB at minute {steady:g}", "MiB at the end", "MiB a minute", "descriptors before", "after"
    )  # fmt: skip
    return (
        f"![Memory and descriptors over time](soak.svg)\n\n{table(columns, rows, numbers=True)}\n\n"
        "Resident memory; in parentheses with its share of what processes share. A slope of less than "
        f"{MOST_MIB_A_MINUTE:g} MiB a minute from minute {steady:g} on counts as flat. Descriptors are "
        f"counted while nobody is connected. {found['requests']:,} requests, {found['failed']} failed. "
        f"Temporary files: {before['files']} before, {after['files']} after, "
        f"{len(found['files_left_by_the_stop'])} left by the stop."
    )


if __name__ == "__main__":
    raise SystemExit(main())
