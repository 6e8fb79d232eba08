"""Requests a second and p99 over concurrency, ours and the peers, one row of plots for each kind of machine.

    python -m benchmarks.speed_plot

draws benchmarks/results/embedding_peers.svg from what embedding_peers.py published.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import kind
from benchmarks.peers_report import CONCURRENCIES, OURS, median
from benchmarks.published import RESULTS, published

TARGET = RESULTS / "embedding_peers.svg"
FIGURES = {"requests_per_second": "requests a second", "p99_ms": "p99, ms"}
# Seen on white and on black: the ground is left out, lines and letters are of middle brightness.
INK = "#7d8590"
COLOURS = ("#2f81f7", "#db6d28", "#3fb950", "#a371f7", "#d29922", "#f85149", "#39c5cf")
INCHES = (8.0, 3.2)


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """The ways to draw: ours, and of each peer the setting that answers the most at the most connections."""
    best: dict[str, tuple[float, str]] = {}
    for way in dict.fromkeys(row["way"] for row in rows):
        rate = median(rows, way, "requests_per_second", concurrency=CONCURRENCIES[-1])
        name = way.partition(",")[0]
        best[name] = max(best.get(name, (0.0, way)), (rate, way))
    return sorted((way for _, way in best.values()), key=lambda way: way != OURS)


def draw(reports: Sequence[dict[str, Any]], target: Path) -> None:
    """Write an SVG; the same reports give the same bytes.

    Args:
        reports: What embedding_peers.py published, one for each kind of machine.
        target: The file.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    style: Any = {
        "svg.hashsalt": "speed", "svg.fonttype": "none", "text.color": INK, "axes.edgecolor": INK,
        "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": INK,
    }  # fmt: skip
    with pyplot.rc_context(style):
        size = (INCHES[0], INCHES[1] * len(reports))
        figure, grid = pyplot.subplots(
            len(reports), 2, figsize=size, squeeze=False, layout="constrained", sharey="col"
        )
        for report, row in zip(reports, grid, strict=True):
            for (field, label), axes in zip(FIGURES.items(), row, strict=True):
                _draw_one(axes, report["results"]["short"], field)
                axes.set_title(f"{kind(report['machine'])}, {report['date']}", fontsize="medium")
                axes.set_ylabel(label)
            row[0].legend(fontsize="small", framealpha=0)
        for axes in grid[-1]:
            axes.set_xlabel("concurrency")
        figure.savefig(target, metadata={"Date": None}, transparent=True)
        pyplot.close(figure)


def _draw_one(axes: Any, rows: list[dict[str, Any]], field: str) -> None:
    for way, colour in zip(lines(rows), COLOURS, strict=False):
        if all(row[field] is None for row in rows if row["way"] == way):
            continue  # the model alone has no requests that could wait
        values = [median(rows, way, field, concurrency=each) for each in CONCURRENCIES]
        axes.plot(
            CONCURRENCIES, values, label=way, color=colour, marker="o", linewidth=2 if way == OURS else 1
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(CONCURRENCIES, [str(each) for each in CONCURRENCIES])
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    draw(published("embedding_peers"), TARGET)
