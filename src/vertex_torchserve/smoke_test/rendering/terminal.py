"""The report on a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from vertex_torchserve.archive_check.finding import Severity
from vertex_torchserve.smoke_test.rendering.printable import printable
from vertex_torchserve.smoke_test.rendering.units import duration
from vertex_torchserve.smoke_test.report import SmokeTestReport

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}


def for_terminal(report: SmokeTestReport) -> Iterator[RenderableType]:
    """What Rich prints, one thing after the other.

    Args:
        report: What was seen; none of its texts is taken for Rich's markup.
    """
    checks = Table("check", "result", "what was seen")
    for check in report.checks:
        result = Text("ok", "green") if check.ok else Text("failed", "red")
        checks.add_row(check.name, result, Text(printable(check.detail)))
    yield checks
    for each in report.not_covered:
        yield Text.assemble(("not covered", "yellow"), " ", printable(each))
    if report.phases:
        phases = (f"{phase.name} {duration(phase.seconds)}" for phase in report.phases)
        yield Text(f"phases: {', '.join(phases)}")
    if report.load:
        load = Table("clients", "requests/s", "median", "95 of 100", "failed")
        for step in report.load:
            times = (duration(step.median_ms / 1000), duration(step.p95_ms / 1000))
            load.add_row(str(step.clients), f"{step.requests_per_second:.1f}", *times, str(step.failed))
        yield load
    for finding in report.findings:
        yield Text.assemble(
            (finding.severity.value, _COLOURS[finding.severity]), " ", printable(finding.as_text())
        )
