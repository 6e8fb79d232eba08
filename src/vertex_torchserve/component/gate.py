"""The gate of both components: an archive is served and asked; the report is written whatever comes of it."""

import json
import logging
from pathlib import Path

from kfp import dsl

from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.golden_request import require_model
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.rendering.html_page import html_page
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.smoke_test.run import run_smoke_test

_log = logging.getLogger(__name__)


class Outputs:
    """The two outputs that tell of a proof.

    Args:
        report: Gets the HTML page.
        metrics: Gets the figures; its file the whole report as JSON.
    """

    def __init__(self, report: dsl.HTML, metrics: dsl.Metrics) -> None:
        self._report = report
        self._metrics = metrics

    def write(self, found: SmokeTestReport) -> None:
        """Write both. The files are there also when the task fails then, the figures only when it does not.

        Args:
            found: What was seen.
        """
        Path(self._report.path).write_text(html_page(found), encoding="utf-8")
        Path(self._metrics.path).write_text(json.dumps(found.as_json(), indent=2), encoding="utf-8")
        for name, value in _figures(found).items():
            self._metrics.log_metric(name, value)


def prove(plan: ServingPlan, asked: RequestFile | None, outputs: Outputs) -> SmokeTestReport:
    """Serve an archive and ask it.

    Args:
        plan: The archive, and how it is served.
        asked: What to ask; None for its golden request.
        outputs: Written before this returns or raises.

    Raises:
        InputError: There is nothing to ask, or the archive can't be read.
        ServingError: It does not serve.
    """
    if asked is not None:
        require_model(asked, plan.model_name, "the file of instances")
    found = run_smoke_test(plan, asked.requests if asked else None, with_load=True)
    outputs.write(found)
    for each in found.not_covered:
        _log.warning("the smoke test does not cover: %s", each)
    if not found.ok:
        raise ServingError(
            f"the archive does not serve, so it is not registered:\n{found.failure()}",
            "correct the handler or the model, and try `vertex-torchserve smoke-test` on it",
        )
    _log.info("smoke test: ready after %s s, %d predictions", found.ready_seconds, len(found.predictions))
    return found


def _figures(found: SmokeTestReport) -> dict[str, float]:
    figures: dict[str, float] = {
        "serves": int(found.ok),
        "checks_passed": sum(check.ok for check in found.checks),
        "checks_failed": sum(not check.ok for check in found.checks),
        "archive_bytes": found.size_bytes,
        "predictions": len(found.predictions),
        "findings": len(found.findings),
    }
    if found.ready_seconds is not None:
        figures["ready_seconds"] = found.ready_seconds
    if found.replaced:
        figures["answers_compared"] = found.replaced.compared
        figures["answers_changed"] = found.replaced.changed
    if found.load:
        figures["median_ms_at_1_client"] = found.load[0].median_ms
        figures["requests_per_second_at_most"] = round(
            max(step.requests_per_second for step in found.load), 1
        )
    return figures
