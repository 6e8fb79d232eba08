"""The report as one HTML page that needs nothing else."""

from itertools import groupby
from pathlib import Path

from vertex_torchserve.conformance.check_table import CHECKS, title_of
from vertex_torchserve.conformance.report import ConformanceReport
from vertex_torchserve.conformance.verdict import Result
from vertex_torchserve.smoke_test.rendering.page_environment import page_environment

_MARKS = {Result.PASSED: "\N{CHECK MARK}", Result.FAILED: "\N{BALLOT X}", Result.NOT_RUN: "-"}
_COLOURS = {Result.PASSED: "good", Result.FAILED: "bad", Result.NOT_RUN: "soft"}


def html_page(report: ConformanceReport) -> str:
    """The page; whatever the server answered or logged is escaped.

    Args:
        report: What was found.
    """
    groups = [
        (title_of(group), list(verdicts))
        for group, verdicts in groupby(report.verdicts, lambda each: each.group)
    ]
    abouts = {check.name: check.about.split("\n\n")[0] for check in CHECKS}
    return (
        page_environment(Path(__file__).parent)
        .get_template("page.html.jinja")
        .render(
            report=report,
            verdict="\N{CHECK MARK} It keeps it" if report.ok else "\N{BALLOT X} It breaks it",
            groups=groups,
            abouts=abouts,
            marks=_MARKS,
            colours=_COLOURS,
        )
    )
