"""Requests a second of all-MiniLM-L6-v2: our image, stock TorchServe, and the model alone in a process.

    apt-get install wrk
    python -m benchmarks.throughput

The same archive in both, the client (wrk) on the same cores. Our handler is in it, so stock gains from what
the handler does; a second one of stock has an archive with `linear_layers: torch`. All take turns in each
round; the medians of the rounds are compared. Before anything is timed, all must answer what the model alone
does.
Writes benchmarks/results/throughput.KIND.json and throughput.md.
"""

import argparse
import contextlib
import math
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.client_load import INSTANCES, LEAST_COSINE, Load, least_cosine, load, vectors_at_once
from benchmarks.contenders import (
    CONTENDERS,
    HTTP_PORT,
    STOCK,
    open_to_all,
    package_minilm,
    prepare,
    wait_until_answered,
)
from benchmarks.model_alone import ModelAlone, text, texts_per_second
from benchmarks.published import publish, table

CONCURRENCIES = (1, 8, 32)
# The numbers that this project set itself: times as fast as stock at each concurrency, and the part of the
# model alone at 32.
TIMES_STOCK = {1: 1.5, 8: 12.0, 32: 25.0}
PART_OF_ALONE = 0.75
CHECKED_TEXTS = 32
READY_SECONDS = 180.0
WARM_UP = b'{"instances": ["a text"]}'
PLAIN_STOCK = "stock, torch's linear layers"
PLAIN_CONFIG = "handler:\n  linear_layers: torch\n"
ALONE_WAYS = ("alone, 1 process x 2 threads", "alone, 2 processes x 1 thread")
WAYS = ("stock", PLAIN_STOCK, "ours", *ALONE_WAYS)


def measure(
    rounds: int, seconds: float, store: Path, plain_store: Path
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The cosines, and a row for each round, concurrency and way."""
    rows: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(ModelAlone(2))
        singles = [stack.enter_context(ModelAlone(1)) for _ in range(2)]
        texts = [text(number) for number in range(CHECKED_TEXTS)]
        vectors = pair.vectors(texts)
        ports, cosines = {}, {}
        started = [(one.name, one, store) for one in CONTENDERS] + [(PLAIN_STOCK, STOCK, plain_store)]
        for name, contender, its_store in started:
            container = stack.enter_context(contender.start(its_store))
            wait_until_answered(container, WARM_UP, READY_SECONDS)
            port = ports[name] = container.published_port(HTTP_PORT)
            cosines[name] = least_cosine(vectors_at_once(INSTANCES, port, texts), vectors)
            if cosines[name] < LEAST_COSINE:
                raise SystemExit(f"{name} answers something else: cosine {cosines[name]}")
        for port in ports.values():
            # All workers loaded, the JVM warm.
            load(INSTANCES, port, CONCURRENCIES[-1], max(2.0, seconds / 3))
        for number in range(rounds):
            for concurrency in CONCURRENCIES:
                for way, processes in zip(ALONE_WAYS, ([pair], singles), strict=True):
                    rate = texts_per_second(processes, concurrency, seconds)
                    rows.append(_row(number, concurrency, way, Load(round(rate, 1))))
                for name, port in ports.items():
                    rows.append(_row(number, concurrency, name, load(INSTANCES, port, concurrency, seconds)))
    return cosines, rows


def _row(number: int, concurrency: int, way: str, found: Load) -> dict[str, Any]:
    row = {"round": number + 1, "concurrency": concurrency, "way": way, **vars(found)}
    sys.stderr.write(f"{row}\n")
    return row


def median(rows: list[dict[str, Any]], concurrency: int, way: str, figure: str) -> float:
    """Over the rounds."""
    chosen = [row for row in rows if row["concurrency"] == concurrency and row["way"] == way]
    return float(statistics.median(row[figure] for row in chosen))


def report(cosines: dict[str, float], rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The tables, and what was not reached."""
    rates, latencies, failures = [], [], []
    for concurrency in CONCURRENCIES:
        rate = {way: median(rows, concurrency, way, "requests_per_second") for way in WAYS}
        alone = max(rate[way] for way in ALONE_WAYS)
        times = rate["ours"] / rate["stock"] if rate["stock"] else math.inf
        part = rate["ours"] / alone
        rates.append(
            (
                concurrency, *(f"{rate[way]:.0f}" for way in WAYS),
                f"{times:.1f} (at least {TIMES_STOCK[concurrency]:g})",
                f"{part:.2f}" + (f" (at least {PART_OF_ALONE})" if concurrency == CONCURRENCIES[-1] else ""),
            )
        )  # fmt: skip
        latencies.append(
            (
                concurrency,
                *(
                    f"{median(rows, concurrency, name, figure):.0f}"
                    for name in ("stock", "ours")
                    for figure in ("p50_ms", "p99_ms")
                ),
            )
        )
        if not rate["stock"]:
            failures.append(f"stock answered nothing at concurrency {concurrency}: measure for longer")
        if times < TIMES_STOCK[concurrency]:
            failures.append(f"{times:.1f} times stock at concurrency {concurrency}")
        if concurrency == CONCURRENCIES[-1] and part < PART_OF_ALONE:
            failures.append(f"{part:.2f} of the model alone at concurrency {concurrency}")
    failed = {name: sum(row["failed"] for row in rows if row["way"] == name) for name in cosines}
    if failed["ours"]:
        failures.append(f"{failed['ours']} requests not answered with 200")
    columns = ("concurrency", *WAYS, "ours / stock", "ours / best alone")
    latency_columns = ("concurrency", "stock p50", "stock p99", "ours p50", "ours p99")
    checked = ", ".join(f"{name} {value:.6f}" for name, value in cosines.items())
    text = (
        f"Requests a second, medians of the rounds:\n\n{table(columns, rates, numbers=True)}\n\n"
        f"Milliseconds:\n\n{table(latency_columns, latencies, numbers=True)}\n\n"
        f"Least cosine with the model alone: {checked}. Requests not answered with 200, which count for "
        "nothing: " + ", ".join(f"{name} {count}" for name, count in failed.items()) + "."
    )
    return text, failures


def main() -> int:
    """Measure and publish; 1 when a target was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default 10)")
    parser.add_argument("--quick", action="store_true", help="one round of 5 seconds")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("there is no wrk; apt-get install wrk")
    rounds, seconds = (1, 5.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    prepare()
    with tempfile.TemporaryDirectory(prefix="throughput-") as scratch:
        stores = Path(scratch) / "archive", Path(scratch) / "plain"
        config = Path(scratch) / "model-config.yaml"
        config.write_text(PLAIN_CONFIG)
        open_to_all(Path(scratch))
        package_minilm(stores[0])
        package_minilm(stores[1], "--config-file", str(config))
        cosines, rows = measure(rounds, seconds, *stores)
    text, failures = report(cosines, rows)
    settings = {"rounds": rounds, "seconds": seconds, "quick": arguments.quick, "client": "wrk, 1 thread"}
    results = {"least_cosine": cosines, "measurements": rows}
    publish(
        "throughput", "Requests a second: all-MiniLM-L6-v2", settings, results, text, trial=arguments.quick
    )
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
