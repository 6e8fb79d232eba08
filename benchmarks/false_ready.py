"""How often `/ping` says 200 for a model that can't be served: twenty kinds of broken archive.

    python -m benchmarks.false_ready

Each case runs in our image and in stock TorchServe at the same time. `/ping` is asked all the while, until
the container ends or the limit is reached; then the last error of the log must name the cause. A good archive
is the control: both must say 200. Writes benchmarks/results/false_ready.KIND.json and false_ready.md.
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.broken_archives import (
    CASES,
    CONTROL,
    GOLDEN_REQUEST,
    SMALL_DISK_MB,
    Case,
    make_good_archive,
    make_store,
)
from benchmarks.contenders import CONTENDERS, HTTP_PORT, OURS, POLL_SECONDS, Contender, ask, prepare
from benchmarks.published import publish, table
from vertex_torchserve.docker import Container, DockerError

SHOWN_CHARACTERS = 110
ERRORS = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")  # Cloud Logging's severities from ERROR on


@dataclass(frozen=True)
class Outcome:
    """What one contender did with one case.

    Attributes:
        first_200_seconds: When `/ping` first answered 200, from the start; None: never.
        statuses: What it answered, each as it changed; 0: no answer.
        exit_code: None: still running at the limit.
        prediction: The status of a valid request at the limit; 0: no answer in 5 s. None: it had ended.
        last_error: Of its log.
        ended_seconds: When it was last looked at.
    """

    first_200_seconds: float | None
    statuses: list[int]
    exit_code: int | None
    prediction: int | None
    last_error: str
    ended_seconds: float

    def safe(self) -> bool:
        """Never 200, and ended with a code that says so or still 503."""
        if self.first_200_seconds is not None:
            return False
        return self.exit_code != 0 if self.exit_code is not None else self.statuses[-1:] == [503]

    def names(self, cause: str) -> bool:
        """Whether the last error tells the cause."""
        return cause.lower() in self.last_error.lower()


def watch(contender: Contender, store: Path | None, case: Case, limit: float) -> Outcome:
    """Run one case in one contender."""
    options = ["--memory", case.memory, "--memory-swap", case.memory] if case.memory else []
    if case.small_disk:
        options += ["--tmpfs", f"{contender.temporary_folder}:exec,mode=1777,size={SMALL_DISK_MB}m"]
    started = time.monotonic()
    with contender.start(store, environment=case.environment, options=options) as container:
        statuses, first_200 = _pings(container, started, limit)
        state = container.state()
        prediction = None
        if state.status == "running":
            port = container.published_port(HTTP_PORT)
            prediction = ask(port, "/predictions/model", GOLDEN_REQUEST, seconds=5).status
        ended = round(time.monotonic() - started, 1)
        error = last_error(container.logs())
        return Outcome(first_200, statuses, state.exit_code, prediction, error, ended)


def _pings(container: Container, started: float, limit: float) -> tuple[list[int], float | None]:
    """The answers of /ping, each as it changes, until the container ends or the time is over."""
    statuses: list[int] = []
    first_200 = None
    try:
        port = container.published_port(HTTP_PORT)
        while time.monotonic() < started + limit and container.state().status == "running":
            status = ask(port, "/ping", seconds=2).status
            if [status] != statuses[-1:]:
                statuses.append(status)
            if status == 200 and first_200 is None:
                first_200 = round(time.monotonic() - started, 1)
            time.sleep(POLL_SECONDS)
    except DockerError:  # it ended before its port was asked for
        if container.state().status == "running":
            raise
    return statuses, first_200


def last_error(log: str) -> str:
    """The last entry of a log that is an error: JSON lines with a severity, or TorchServe's own layout."""
    last, plain = "", ""
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("severity") in ERRORS:
                last = str(entry.get("message", ""))
        elif "[ERROR]" in line or "Error: " in line or line.startswith("error: "):
            plain = line
    return last or plain


def run_case(case: Case, good: Path, folder: Path, limit: float) -> dict[str, Outcome]:
    """Run one case in both at the same time."""
    store = make_store(case, good, folder)
    with ThreadPoolExecutor(len(CONTENDERS)) as pool:
        runs = {
            contender.name: pool.submit(watch, contender, store if case.mounted else None, case, limit)
            for contender in CONTENDERS
        }
        outcomes = {name: run.result() for name, run in runs.items()}
    sys.stderr.write(
        f"{case.name}: " + "; ".join(f"{name} {told(outcome)}" for name, outcome in outcomes.items()) + "\n"
    )
    return outcomes


def told(outcome: Outcome) -> str:
    """An outcome in a table's cell."""
    if outcome.first_200_seconds is not None:
        then = "" if outcome.exit_code is None else f", ended with code {outcome.exit_code}"
        predicted = (
            "" if outcome.prediction is None else f", prediction {outcome.prediction or 'not answered'}"
        )
        return f"**200** after {outcome.first_200_seconds} s{predicted}{then}"
    if outcome.exit_code is not None:
        return f"code {outcome.exit_code} after {outcome.ended_seconds} s"
    return f"{outcome.statuses[-1] if outcome.statuses else 'no answer'} for {outcome.ended_seconds} s"


def report(cases: list[Case], outcomes: list[dict[str, Outcome]], limit: float) -> str:
    """The table, and what it comes to."""
    rows = []
    for case, both in zip(cases, outcomes, strict=True):
        ours, stock = both["ours"], both["stock"]
        named = "yes" if ours.names(case.cause) else f"**no** (`{case.cause}`)"
        error = ours.last_error.strip()
        shown = error if len(error) <= SHOWN_CHARACTERS else f"{error[:SHOWN_CHARACTERS]}..."
        control = case is CONTROL
        rows.append((case.name, told(ours), "" if control else named, "" if control else shown, told(stock)))
    broken = [(case, both) for case, both in zip(cases, outcomes, strict=True) if case is not CONTROL]
    lines = [
        f"- {name}: {sum(both[name].first_200_seconds is not None for _, both in broken)} of {len(broken)} "
        f"answered 200; {sum(both[name].safe() for _, both in broken)} ended with an error code or stayed at "
        "503; "
        f"{sum(both[name].names(case.cause) for case, both in broken)} have the cause as their last error"
        for name in ("ours", "stock")
    ]
    columns = ("case", "ours", "cause told", "our last error", "stock")
    return f"Watched for {limit:g} s each.\n\n" + table(columns, rows) + "\n\n" + "\n".join(lines)


def main() -> int:
    """Run the cases; 1 when one of ours is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=45.0, help="seconds to watch each (default 45)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default 2)")
    parser.add_argument("--case", action="append", help="only the cases with these words in their name")
    parser.add_argument("--quick", action="store_true", help="three cases and the control, 30 s each")
    arguments = parser.parse_args()
    trial = arguments.quick or bool(arguments.case)
    limit = 30.0 if arguments.quick else arguments.limit
    words = ["truncated", "raises at load", "two archives"] if arguments.quick else arguments.case or [""]
    cases = [CONTROL, *(case for case in CASES if any(word in case.name for word in words))]
    prepare()
    with tempfile.TemporaryDirectory(prefix="false-ready-") as scratch:
        open_to_scratch = Path(scratch)
        open_to_scratch.chmod(0o755)
        good = make_good_archive(open_to_scratch / "good")
        run = partial(run_case, good=good, folder=open_to_scratch, limit=limit)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = list(pool.map(run, cases))
    results: list[dict[str, Any]] = [
        {"case": case.name, "cause": case.cause, **{name: asdict(outcome) for name, outcome in both.items()}}
        for case, both in zip(cases, outcomes, strict=True)
    ]
    settings = {"limit_seconds": limit, "cases_at_a_time": arguments.jobs, "quick": arguments.quick}
    text = report(cases, outcomes, limit)
    publish("false_ready", "Who says ready when nothing can be served", settings, results, text, trial=trial)
    return verdict(cases, outcomes)


def verdict(cases: list[Case], outcomes: list[dict[str, Outcome]]) -> int:
    """0 when the control was ready in both, and every broken case of ours failed as it must."""
    failures = [
        f"{case.name}: {told(both[OURS.name])}; last error {both[OURS.name].last_error[-300:]!r}"
        for case, both in zip(cases, outcomes, strict=True)
        if case is not CONTROL and not (both[OURS.name].safe() and both[OURS.name].names(case.cause))
    ]
    failures += [
        f"the control was never ready: {name}"
        for name, outcome in outcomes[0].items()
        if outcome.first_200_seconds is None
    ]
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
