"""What the proof found as one page that needs nothing else: no script, no file, no network."""

from pathlib import Path
from typing import Any

from benchmarks.gpu_proof.finding import GOOD
from benchmarks.machine import described
from vertex_torchserve.smoke_test.rendering.page_environment import page_environment
from vertex_torchserve.smoke_test.report import LoadStep


def page(report: dict[str, Any]) -> str:
    """The page; every text is escaped.

    Args:
        report: What gpu_proof.json holds.
    """
    parts = [
        {**part, "columns": columns_of(part["rows"]), "plots": _plots(part["steps"])}
        for part in report["parts"]
    ]
    template = page_environment(Path(__file__).parent).get_template("page.html.jinja")
    good = all(part["outcome"] in GOOD for part in parts)
    return template.render(report=report, parts=parts, good=good, machine=described(report["machine"]))


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """The keys of all rows, in the order in which they come first.

    Args:
        rows: Of a part.
    """
    return list(dict.fromkeys(key for row in rows for key in row))


def _plots(steps: list[dict[str, Any]]) -> list[Any]:
    from markupsafe import Markup

    from vertex_torchserve.smoke_test.rendering.load_plots import latency_plot, throughput_plot

    seen = [LoadStep(**step) for step in steps]
    return [Markup(draw(seen)) for draw in (throughput_plot, latency_plot)] if seen else []  # noqa: S704
