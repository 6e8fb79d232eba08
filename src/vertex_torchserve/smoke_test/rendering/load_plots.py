"""Latency and throughput of a load run as SVG, drawn by matplotlib in the colours of the page."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from vertex_torchserve.smoke_test.rendering.units import duration
from vertex_torchserve.smoke_test.report import LoadStep

# matplotlib wants a colour for each thing; these become the page's variables, which follow its theme.
_INK, _LINE, _FIRST, _SECOND = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {_INK: "var(--soft)", _LINE: "var(--line)", _FIRST: "var(--first)", _SECOND: "var(--second)"}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # texts stay texts, in the page's font
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _LINE,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
}


def latency_plot(steps: Sequence[LoadStep]) -> str:
    """An SVG of the median and of what 95 of 100 answers took, by the number of clients.

    Args:
        steps: At least one.
    """

    def draw(axes: Any) -> None:
        at = range(len(steps))
        median, slow = [step.median_ms for step in steps], [step.p95_ms for step in steps]
        axes.fill_between(at, median, slow, color=_FIRST, alpha=0.15, linewidth=0)
        axes.plot(at, slow, color=_SECOND, marker="o", label="95 of 100 answers within")
        axes.plot(at, median, color=_FIRST, marker="o", label="median")
        for place, value in zip(at, slow, strict=True):
            axes.annotate(
                duration(value / 1000), (place, value), (0, 6), textcoords="offset points", ha="center"
            )
        axes.set_ylabel("milliseconds")
        axes.legend(loc="upper left")
        axes.set_ylim(0, 1.35 * max(slow))

    return _svg("Latency by the number of clients", steps, draw)


def throughput_plot(steps: Sequence[LoadStep]) -> str:
    """An SVG of the answers in a second, by the number of clients.

    Args:
        steps: At least one.
    """

    def draw(axes: Any) -> None:
        rates = [step.requests_per_second for step in steps]
        axes.bar(range(len(steps)), rates, color=_FIRST, width=0.6)
        for place, rate in enumerate(rates):
            axes.annotate(f"{rate:.3g}", (place, rate), (0, 3), textcoords="offset points", ha="center")
        axes.set_ylabel("answers in a second")
        axes.set_ylim(0, 1.15 * max(*rates, 0.1))

    return _svg("Answers in a second by the number of clients", steps, draw)


def _svg(title: str, steps: Sequence[LoadStep], draw: Callable[[Any], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    file = io.StringIO()
    # The same figures give the same bytes; the ids of two plots in one page differ.
    with rc_context({**_SETTINGS, "svg.hashsalt": title}):
        figure = Figure(figsize=(4.6, 3.0), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_xticks(range(len(steps)), [str(step.clients) for step in steps])
        axes.set_xlim(-0.5, len(steps) - 0.5)
        axes.set_xlabel("clients at once")
        axes.grid(axis="y", alpha=0.6)
        axes.set_axisbelow(True)
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _inline(file.getvalue(), title)


def _inline(svg: str, title: str) -> str:
    """What stands in a page: no XML head, no ids that nothing refers to, the page's colours."""
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if f"#{found[1]}" in svg else "", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
