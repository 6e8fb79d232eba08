"""Two versions of our CPU image side by side: how soon each answers, and how many requests a second.

    apt-get install wrk
    python -m benchmarks.image_versions --before TAG [--now TAG]

The same archives in both: a handler that answers each instance with itself (what the server itself costs),
and all-MiniLM-L6-v2. The two take turns in each round, first one and then the other going first; the medians
of the rounds are compared. The image of an older commit is built in a checkout of it, with
`images build cpu --tag TAG`. Writes benchmarks/results/image_versions.KIND.json and image_versions.md.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.client_load import INSTANCES, load
from benchmarks.contenders import (
    HTTP_PORT,
    OURS,
    POLL_SECONDS,
    Contender,
    ask,
    clean_up_on_sigterm,
    open_to_all,
    package_minilm,
    wait_until_answered,
)
from benchmarks.published import publish, table
from testbed.archives import ECHO_HANDLER
from vertex_torchserve.docker import Container, client
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

BODY = json.dumps({"instances": ["a text"]}).encode()
MODELS: Mapping[str, tuple[int, ...]] = {"echo": (1, 8, 64), "all-MiniLM-L6-v2": (1, 8, 32)}
# The fields of a row beside the requests a second, in words.
FIGURES = {
    "p99_ms": "p99 in ms",
    "jvm_cpu_ms": "CPU of the JVM in ms a request",
    "workers_cpu_ms": "CPU of the workers in ms a request",
}
READY_SECONDS = 180.0
WORKER = "model_service_worker"
# The number that this project set itself: an image may lose this part of the requests a second, not more.
LEAST_PART = 0.98


def package_echo(store: Path) -> None:
    """Write the archive of a handler that answers each instance with itself."""
    source = store / "source"
    (source / "model").mkdir(parents=True)
    (source / "model" / "weights.txt").write_text("none\n")
    handler = source / "echo.py"
    handler.write_text(ECHO_HANDLER)
    build_model_archive(ModelArchiveSpec(source / "model", str(handler), model_name="model"), store)
    shutil.rmtree(source)
    open_to_all(store)


def seconds_to_answer(contender: Contender, store: Path) -> float:
    """From before `docker run` to the first prediction."""
    started = time.monotonic()
    with contender.start(store) as container:
        port = container.published_port(HTTP_PORT)
        while time.monotonic() < started + READY_SECONDS:
            if ask(port, "/predictions/model", BODY).status == 200:
                return time.monotonic() - started
            time.sleep(POLL_SECONDS)
        raise SystemExit(
            f"{contender.image}: no prediction in {READY_SECONDS:g} s\n{container.logs()[-4000:]}"
        )


def measure(
    pair: tuple[Contender, Contender], stores: Mapping[str, Path], rounds: int, seconds: float, starts: int
) -> list[dict[str, Any]]:
    """A row for each start and each load of each image."""
    rows: list[dict[str, Any]] = []
    for model, store in stores.items():
        for number in range(starts):
            for contender in _in_turns(pair, number):
                _add(rows, model, contender, number, seconds=round(seconds_to_answer(contender, store), 2))
        with contextlib.ExitStack() as stack:
            ports, processes = {}, {}
            for contender in pair:
                container = stack.enter_context(contender.start(store))
                wait_until_answered(container, BODY, READY_SECONDS)
                ports[contender.name] = container.published_port(HTTP_PORT)
                processes[contender.name] = processes_of(container)
            for port in ports.values():
                # All workers loaded, the JVM warm.
                load(INSTANCES, port, MODELS[model][-1], seconds)
            for number in range(rounds):
                for concurrency in MODELS[model]:
                    for contender in _in_turns(pair, number):
                        before = cpu_seconds(processes[contender.name])
                        found = load(INSTANCES, ports[contender.name], concurrency, seconds)
                        after = cpu_seconds(processes[contender.name])
                        requests = max(1.0, found.requests_per_second * seconds)
                        cost = {
                            f"{kind}_cpu_ms": round((after[kind] - before[kind]) / requests * 1e3, 3)
                            for kind in after
                        }
                        _add(rows, model, contender, number, concurrency=concurrency, **vars(found), **cost)
    return rows


def processes_of(container: Container) -> list[psutil.Process]:
    """Its JVM and its workers, as this machine sees them."""
    answer = subprocess.run(
        [client(), "container", "top", container.id, "-o", "pid"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=60,
    )  # fmt: skip
    running = []
    for line in answer.stdout.split()[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a probe's, ended meanwhile
            running.append(psutil.Process(int(line)))
    return [one for one in running if one.name() == "java" or WORKER in " ".join(one.cmdline())]


def cpu_seconds(processes: list[psutil.Process]) -> dict[str, float]:
    """What they have taken so far: the JVM, and the workers together."""
    taken = {"jvm": 0.0, "workers": 0.0}
    for process in processes:
        times = process.cpu_times()
        taken["jvm" if process.name() == "java" else "workers"] += times.user + times.system
    return taken


def _in_turns(pair: tuple[Contender, Contender], number: int) -> tuple[Contender, Contender]:
    return pair if number % 2 == 0 else (pair[1], pair[0])


def _add(rows: list[dict[str, Any]], model: str, contender: Contender, number: int, **found: Any) -> None:
    rows.append({"model": model, "image": contender.name, "round": number + 1, **found})
    sys.stderr.write(f"{rows[-1]}\n")


def figures(
    rows: list[dict[str, Any]], model: str, image: str, field: str, concurrency: int | None
) -> list[float]:
    """What the rounds found, in their order."""
    return [
        row[field]
        for row in rows
        if (row["model"], row["image"], row.get("concurrency")) == (model, image, concurrency)
    ]


def report(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The table, and what was not reached."""
    lines: list[tuple[object, ...]] = []
    failures = []
    for model, concurrencies in MODELS.items():
        for concurrency in concurrencies:
            before, now = (
                figures(rows, model, image, "requests_per_second", concurrency) for image in ("before", "now")
            )
            part = statistics.median(now) / statistics.median(before)
            lines.append(
                (f"{model} at {concurrency}, requests/s", _spread(before), _spread(now), f"{part:.3f}")
            )
            for field, name in FIGURES.items():
                before, now = (figures(rows, model, image, field, concurrency) for image in ("before", "now"))
                share = statistics.median(now) / statistics.median(before)
                lines.append(
                    (f"{model} at {concurrency}, {name}", _spread(before), _spread(now), f"{share:.3f}")
                )
            if part < LEAST_PART:
                failures.append(
                    f"{model} at {concurrency}: {part:.3f} of the requests a second, wanted {LEAST_PART}"
                )
        before, now = (figures(rows, model, image, "seconds", None) for image in ("before", "now"))
        part = statistics.median(now) / statistics.median(before)
        lines.append((f"{model}, seconds to the first answer", _spread(before), _spread(now), f"{part:.3f}"))
        if part > 1:
            failures.append(f"{model}: {part:.3f} of the seconds to the first answer, wanted at most 1")
    failed = sum(row.get("failed", 0) for row in rows)
    if failed:
        failures.append(f"{failed} requests not answered with 200")
    columns = ("", "before", "now", "now / before")
    text = (
        "Medians of the rounds, in brackets the least and the most:\n\n"
        f"{table(columns, lines, numbers=True)}\n\n"
        f"Requests not answered with 200: {failed}."
    )
    return text, failures


def _spread(found: list[float]) -> str:
    form = ".0f" if min(found) >= 100 else ".1f" if min(found) >= 10 else ".2f"
    return f"{statistics.median(found):{form}} ({min(found):{form}} to {max(found):{form}})"


def main() -> int:
    """Measure and publish; 1 when a number was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", required=True, metavar="TAG", help="the image of the older commit")
    parser.add_argument("--now", default=OURS.image, metavar="TAG", help=f"default {OURS.image}")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default 5)")
    parser.add_argument("--starts", type=int, default=5, help="of each image with each model (default 5)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("there is no wrk; apt-get install wrk")
    clean_up_on_sigterm()
    pair = (
        replace(OURS, name="before", image=arguments.before),
        replace(OURS, name="now", image=arguments.now),
    )
    with tempfile.TemporaryDirectory(prefix="image-versions-") as scratch:
        open_to_all(Path(scratch))
        stores = {model: Path(scratch) / model for model in MODELS}
        package_echo(stores["echo"])
        package_minilm(stores["all-MiniLM-L6-v2"])
        rows = measure(pair, stores, arguments.rounds, arguments.seconds, arguments.starts)
    text, failures = report(rows)
    settings = {"rounds": arguments.rounds, "seconds": arguments.seconds, "client": "wrk, 1 thread"}
    publish("image_versions", "Two versions of the CPU image", settings, rows, text, contenders=pair)
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
