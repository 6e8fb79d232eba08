"""What embedding_peers.py found, for readers, and which of the numbers set for it were not reached."""

import os
import statistics
from typing import Any

from benchmarks.client_load import LEAST_COSINE
from benchmarks.model_alone import MIXED_TEXTS
from benchmarks.peer_servers import PEERS
from benchmarks.published import table

CONCURRENCIES = (1, 8, 32)
THREADS = os.cpu_count() or 1  # of the model alone
BUDGETS = (256, 512, 1024, 2048)  # padded tokens of the model alone's batches; the best counts
OURS = "ours"
ALONE, ONNX_ALONE = "alone, torch", "alone, onnxruntime"  # the model in one process, without HTTP or JSON
# The numbers that this project set itself: times as fast as the best peer; the part of the best engine alone
# in one process, in batches of as many texts as there are requests at once; the same with texts of mixed
# lengths, sorted; times as fast as torch alone with such texts padded in one batch.
TIMES_BEST_PEER = 2.0
PART_OF_ALONE = {1: 0.8, 8: 0.8, 32: 0.9}
PART_OF_SORTED = 0.9
TIMES_PADDED = 3.0
Row = dict[str, Any]


def sorted_way(engine: str, budget: int | None) -> str:
    """The name of a way of the model alone, by one of its engines."""
    return f"{engine}, " + (
        f"one padded batch of {MIXED_TEXTS}" if budget is None else f"sorted, {budget} tokens"
    )


PADDED = sorted_way(ALONE, None)
SORTED = [sorted_way(engine, budget) for engine in (ALONE, ONNX_ALONE) for budget in BUDGETS]


def median(rows: list[Row], way: str, figure: str, **where: int) -> float:
    """Over the rounds; 0 when there is no figure."""
    found = [
        row[figure]
        for row in rows
        if row["way"] == way and row[figure] is not None and where.items() <= row.items()
    ]
    return statistics.median(found) if found else 0.0


def report(cosines: dict[str, float], short: list[Row], mixed: list[Row]) -> tuple[str, list[str]]:
    """The tables, and what was not reached."""
    names = list(cosines)
    right = [name for name in names if name != OURS and cosines[name] >= LEAST_COSINE]
    short_text, failures = _short_report(names, right, short)
    mixed_text, more = _mixed_report(names, mixed)
    failed = {name: sum(row["failed"] for row in short + mixed if row["way"] == name) for name in names}
    failures += more
    if failed[OURS]:
        failures.append(f"{failed[OURS]} requests to ours not answered with 200")
    settings = [(peer.name, peer.setting) for peer in PEERS]
    checked = [
        (
            name,
            f"{cosines[name]:.6f}",
            "" if cosines[name] >= LEAST_COSINE else "answers something else",
            failed[name],
        )
        for name in names
    ]
    columns = ("server", "least cosine with the model alone", "", "not answered with 200")
    lost = "\n".join(f"- {failure}" for failure in failures) or "Nothing."
    document = (
        f"{short_text}\n\n{mixed_text}\n\n## Answers\n\n{table(columns, checked)}\n\n"
        f"## Settings of the peers\n\n{table(('peer', 'set to'), settings)}\n\n"
        "The ONNX file is the one that `package --engine onnxruntime` writes. infinity means to optimize it "
        "with optimum 1 and says that it goes on without, which leaves it what onnxruntime does by itself. "
        "All have the same torch; the "
        f"toolkit itself pins an older one.\n\n## Not reached\n\n{lost}"
    )
    return document, failures


def _short_report(names: list[str], right: list[str], rows: list[Row]) -> tuple[str, list[str]]:
    rates, latencies, failures = [], [], []
    for concurrency in CONCURRENCIES:
        rate = {name: median(rows, name, "requests_per_second", concurrency=concurrency) for name in names}
        best = max(right, key=lambda name: rate[name])
        times = rate[OURS] / rate[best]
        engines = {
            way: median(rows, way, "requests_per_second", concurrency=concurrency)
            for way in (ALONE, ONNX_ALONE)
        }
        part = rate[OURS] / max(engines.values())
        rates.append(
            (
                concurrency,
                *(f"{rate[name]:.0f}" for name in names),
                *(f"{found:.0f}" for found in engines.values()),
                f"{times:.2f} (at least {TIMES_BEST_PEER:g})",
                f"{part:.2f} (at least {PART_OF_ALONE[concurrency]})",
                f"{max(engines.values()) / rate[best]:.2f}",
            )
        )
        latencies.append(
            (
                concurrency,
                *(
                    " / ".join(
                        f"{median(rows, name, figure, concurrency=concurrency):.0f}"
                        for figure in ("p50_ms", "p99_ms")
                    )
                    for name in names
                ),
            )
        )
        if times < TIMES_BEST_PEER:
            failures.append(f"{times:.2f} times {best} at concurrency {concurrency}, not {TIMES_BEST_PEER:g}")
        if part < PART_OF_ALONE[concurrency]:
            failures.append(
                f"{part:.2f} of the best engine alone at concurrency {concurrency}, not "
                f"{PART_OF_ALONE[concurrency]}"
            )
    columns = (
        "concurrency", *names, ALONE, ONNX_ALONE, "ours / best peer", "ours / best alone",
        "best alone / best peer",
    )  # fmt: skip
    rate_table = table(columns, rates, numbers=True)
    latency_table = table(("concurrency", *names), latencies, numbers=True)
    return (
        "## One short text a request\n\nRequests a second, medians of the rounds; alone: in one process of "
        f"{THREADS} threads, in batches of as many texts. The last column is what a server that takes no "
        f"time itself would be ahead by:\n\n{rate_table}\n\n"
        f"Milliseconds, p50 / p99:\n\n{latency_table}"
    ), failures


def _mixed_report(names: list[str], rows: list[Row]) -> tuple[str, list[str]]:
    ways = [PADDED, sorted_way(ONNX_ALONE, None), *SORTED, *names]
    rate = {way: median(rows, way, "requests_per_second") for way in ways}
    best = max(SORTED, key=lambda way: rate[way])
    part, times = rate[OURS] / rate[best], rate[OURS] / rate[PADDED]
    lines = [
        (
            way,
            f"{rate[way]:.2f}",
            f"{MIXED_TEXTS * rate[way]:.0f}",
            f"{rate[OURS] / rate[way]:.2f}" if rate[way] else "-",
        )
        for way in ways
    ]
    failures = []
    if part < PART_OF_SORTED:
        failures.append(f"mixed lengths: {part:.2f} of the best sorted loop ({best}), not {PART_OF_SORTED}")
    if times < TIMES_PADDED:
        failures.append(f"mixed lengths: {times:.2f} times one padded batch, not {TIMES_PADDED:g}")
    return (
        "## 64 texts of 6 to 200 words a request, concurrency 1\n\nMedians of the rounds; alone: in one "
        f"process, {THREADS} threads, without HTTP or JSON:\n\n"
        f"{table(('way', 'requests/s', 'texts/s', 'ours / this'), lines, numbers=True)}\n\n"
        f"Ours is {part:.2f} of the best sorted loop (at least {PART_OF_SORTED}) and {times:.2f} times one "
        f"padded batch (at least {TIMES_PADDED:g})."
    ), failures
