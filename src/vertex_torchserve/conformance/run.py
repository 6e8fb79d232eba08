"""Make every check on servers that a launcher starts."""

import time
from collections.abc import Callable

from vertex_torchserve.conformance.check import Check
from vertex_torchserve.conformance.check_table import CHECKS
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.report import ConformanceReport
from vertex_torchserve.conformance.server import Conditions, Launcher
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest


def run_conformance(
    server: str,
    launcher: Launcher,
    request: PredictionRequest,
    conditions: Conditions,
    *,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    progress: Callable[[Check], None] = lambda _: None,
) -> ConformanceReport:
    """Check a server against Vertex AI's contract.

    Args:
        server: What it is called in the report.
        launcher: Starts it, each time a check needs another one.
        request: What its model can answer.
        conditions: How it is started.
        limits: How long things may take.
        progress: Called with each check before it is made.
    """
    began, verdicts = time.monotonic(), []
    with Trial(launcher, conditions, request, limits) as trial:
        for check in CHECKS:
            progress(check)
            verdicts.append(check.run(trial))
            trial.replace_broken_server()
    return ConformanceReport(server, time.monotonic() - began, tuple(verdicts))
