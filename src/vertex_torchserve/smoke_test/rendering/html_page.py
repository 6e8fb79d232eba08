"""The report as one HTML page that needs nothing else: no script, no font, no file, no network."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.answer_differences import Difference
from vertex_torchserve.smoke_test.rendering.page_environment import page_environment
from vertex_torchserve.smoke_test.rendering.units import duration, size
from vertex_torchserve.smoke_test.report import SmokeTestReport

_PACKAGES = ("jinja2", "matplotlib")
_TEMPLATE = "page.html.jinja"
_MOST_PREDICTIONS, _LONGEST_PREDICTION = 10, 600
_MOST_DIFFERENCES, _LONGEST_VALUE = 50, 200
_PHASES = {
    "fetch": "Python starts, the archive is found",
    "unpack": "its members are read, checked and written",
    "install": "its requirements are installed",
    "JVM": "TorchServe starts and opens its port",
    "load": "the worker loads the model",
    "golden": "the golden request is answered",
    "ready": "from the start to the first 200 of the health route",
    "first answer": "the first request is answered",
}


def require_packages() -> None:
    """Find out whether a page can be made, before anything is served.

    Raises:
        InputError: A package that makes it is not installed.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            Problem(
                f"an HTML report needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} "
                "not installed",
                "pip install 'vertex-torchserve[report]'",
            )
        )


def html_page(report: SmokeTestReport) -> str:
    """The page; every text of the model, its handler and its server is escaped.

    Args:
        report: What was seen.
    """
    from markupsafe import Markup

    from vertex_torchserve.smoke_test.rendering.load_plots import latency_plot, throughput_plot

    environment = page_environment(Path(__file__).parent)
    environment.filters.update(duration=duration, size=size)
    plots = [Markup(draw(report.load)) for draw in (latency_plot, throughput_plot)] if report.load else []  # noqa: S704
    return environment.get_template(_TEMPLATE).render(
        report=report,
        verdict=_verdict(report),
        failed=next((check for check in report.checks if not check.ok), None),
        phase_texts=_PHASES,
        phase_seconds=sum(phase.seconds for phase in report.phases),
        plots=plots,
        differences=_shown(report.differences),
        replaced_differences=_shown(report.replaced.differences) if report.replaced else [],
        predictions=[
            _shortened(each, _LONGEST_PREDICTION) for each in report.predictions[:_MOST_PREDICTIONS]
        ],
    )


def _shown(differences: Sequence[Difference]) -> list[Difference]:
    return [
        each._replace(
            expected=_shortened(each.expected, _LONGEST_VALUE), got=_shortened(each.got, _LONGEST_VALUE)
        )
        for each in differences[:_MOST_DIFFERENCES]
    ]


def _verdict(report: SmokeTestReport) -> str:
    if not report.was_tested:
        return "Not tested"
    return "✓ It serves" if report.ok else "✗ It does not serve"


def _shortened(value: Any, longest: int) -> str:
    text = json.dumps(value, ensure_ascii=False)
    left_out = len(text) - longest
    return f"{text[:longest]} … {left_out} characters more" if left_out > 0 else text
