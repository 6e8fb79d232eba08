"""A small server that keeps the contract passes every check; one with a fault fails that one alone."""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed.conformance.process_launcher import ProcessLauncher
from testbed.conformance.small_faults import CONTAINER_FAULTS, FAULTS, FIRST_PORT, HEALTH_ROUTE, PREDICT_ROUTE
from testbed.deadlines import PROGRAM_SECONDS
from vertex_torchserve.conformance.check_table import CHECKS
from vertex_torchserve.conformance.html_page import html_page
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.report import ConformanceReport
from vertex_torchserve.conformance.run import run_conformance
from vertex_torchserve.conformance.server import Conditions
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

ROOT = Path(__file__).parents[3]
GOOD = ""
# Shorter than the contract's where a fault is one of time; ten times and more what the small server takes.
LIMITS = Limits(
    listen=8, ready=12, first=1, health=3, answer=20, stop=4, load=0.5, clients=4, slow_clients=12
)
IN_CONTAINERS = {"random-user", "read-only-root", "no-network"}
# The servers sleep most of the time.
AT_ONCE = 6


def checked(fault: str) -> ConformanceReport:
    environment = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "testbed.conformance", *([fault] if fault else [])]
    launcher = ProcessLauncher(lambda _: command, environment)
    environment[FIRST_PORT] = str(launcher.ports[0])
    conditions = Conditions(launcher.ports[0], HEALTH_ROUTE, PREDICT_ROUTE)
    request = PredictionRequest(["one", "two"])
    return run_conformance(fault, launcher, request, conditions, limits=LIMITS)


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[str, Future[ConformanceReport]]]:
    """What the checks say of each server, some at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {fault: pool.submit(checked, fault) for fault in (GOOD, *FAULTS)}
        pool.shutdown(cancel_futures=True)


def test_a_server_that_keeps_the_contract_passes_every_check(
    reports: dict[str, Future[ConformanceReport]],
) -> None:
    report = reports[GOOD].result(PROGRAM_SECONDS)
    assert {each.check: each.evidence for each in report.failed} == {}
    assert {each.check for each in report.verdicts if each.result == "not run"} == IN_CONTAINERS
    assert report.ok


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_its_check_and_no_other(
    fault: str, reports: dict[str, Future[ConformanceReport]]
) -> None:
    report = reports[fault].result(PROGRAM_SECONDS)
    [check] = [each for each in CHECKS if each.name == FAULTS[fault][0]]
    assert {each.check: each.evidence for each in report.failed}.keys() == {check.name}
    assert report.ok == (check.severity == "should")


def test_the_page_says_what_failed_and_needs_nothing_else(
    reports: dict[str, Future[ConformanceReport]],
) -> None:
    page = html_page(reports["never-ready"].result(PROGRAM_SECONDS))
    assert "It breaks it" in page
    assert "503 {&#34;error&#34;: &#34;loading&#34;}" in page
    assert not re.search(r"<script|<link|src=|url\(", page)
    assert "It keeps it" in html_page(reports[GOOD].result(PROGRAM_SECONDS))


def test_every_check_has_a_fault() -> None:
    assert {check for check, _ in (FAULTS | CONTAINER_FAULTS).values()} == {each.name for each in CHECKS}
