"""The table of speed in the README: a row for each kind of machine and load, from what was published.

    python -m benchmarks.speed_table

writes it into the document again, between two comments, and draws the plots beside it.
"""

import re
from typing import Any

from benchmarks.client_load import LEAST_COSINE
from benchmarks.contenders import ROOT
from benchmarks.machine import kind
from benchmarks.model_alone import MIXED_TEXTS
from benchmarks.peers_report import CONCURRENCIES, OURS, median
from benchmarks.published import published, table
from benchmarks.speed_plot import TARGET, draw

DOCUMENT = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- speed -->\n).*(?=<!-- end of speed -->)", re.DOTALL)
COLUMNS = (
    "machine, date",
    "a request, concurrency",
    "ours",
    "best peer",
    "ours / best peer",
    "p99, ms: both",
)


def rows(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """Of one kind of machine: one text a request at each concurrency, then many texts of mixed lengths."""
    results = report["results"]
    right = [name for name, cosine in results["least_cosine"].items() if cosine >= LEAST_COSINE]
    peers = [name for name in right if name.partition(",")[0] != OURS]
    machine = f"{kind(report['machine'])}, {report['date']}"
    short = [
        _row(machine, f"one short text, {concurrency}", peers, results["short"], {"concurrency": concurrency})
        for concurrency in CONCURRENCIES
    ]
    return [*short, _row(machine, f"{MIXED_TEXTS} of 6 to 200 words, 1", peers, results["mixed"], {})]


def _row(
    machine: str, load: str, peers: list[str], found: list[dict[str, Any]], where: dict[str, int]
) -> tuple[str, ...]:
    rate = {way: median(found, way, "requests_per_second", **where) for way in (OURS, *peers)}
    best = max(peers, key=lambda way: rate[way])
    times = rate[OURS] / rate[best]
    p99 = [f"{median(found, way, 'p99_ms', **where):.0f}" for way in (OURS, best)]
    digits = 0 if rate[OURS] >= 10 else 2
    return (
        machine, load, f"{rate[OURS]:.{digits}f}", f"{rate[best]:.{digits}f}, {best}",
        f"{times:.2f}" if times >= 1 else f"**{times:.2f}**", " / ".join(p99),
    )  # fmt: skip


def speed_table() -> str:
    """The table, the newest machine first."""
    return table(COLUMNS, [row for report in published("embedding_peers") for row in rows(report)])


def written(document: str) -> str:
    """The document with the table as it is now."""
    return BLOCK.sub(lambda _: f"\n{speed_table()}\n\n", document)


def write() -> None:
    """Table and plots, from what is published."""
    draw(published("embedding_peers"), TARGET)
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
