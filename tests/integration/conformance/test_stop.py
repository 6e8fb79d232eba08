"""What becomes of requests when the server gets SIGTERM."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.conformance.process_launcher import ProcessLauncher
from testbed.conformance.small_faults import FIRST_PORT, HEALTH_ROUTE, PREDICT_ROUTE
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.server import Conditions, Server
from vertex_torchserve.conformance.start import watch_start
from vertex_torchserve.conformance.stop import StopRecord, stop_under_load
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

ROOT = Path(__file__).parents[3]
LIMITS = Limits(ready=20, answer=20, stop=10)
REQUEST = PredictionRequest(["one", "two"])


@dataclass(frozen=True)
class Started:
    server: Server
    conditions: Conditions

    def stopped(self, route: str) -> StopRecord:
        address = self.server.address(self.conditions.port)
        return stop_under_load(self.server, address, route, REQUEST, LIMITS)


@pytest.fixture
def started(request: pytest.FixtureRequest) -> Iterator[Started]:
    """A small server, with the fault that the test names."""
    environment = {"PYTHONPATH": str(ROOT)}
    launcher = ProcessLauncher(
        lambda _: [sys.executable, "-m", "testbed.conformance", *getattr(request, "param", ())], environment
    )
    environment[FIRST_PORT] = str(launcher.ports[0])
    conditions = Conditions(launcher.ports[0], HEALTH_ROUTE, PREDICT_ROUTE)
    with launcher.start(conditions) as server:
        assert watch_start(server, conditions, REQUEST, LIMITS, LIMITS.ready).answering is not None
        yield Started(server, conditions)


def test_requests_on_their_way_are_answered(started: Started) -> None:
    record = started.stopped(PREDICT_ROUTE)
    assert (record.in_flight, record.lost, record.refused, record.exit_code) == (4, (), "", 0)


@pytest.mark.parametrize("started", [["drops-everything-on-sigterm"]], indirect=True)
def test_when_a_request_was_lost_is_said(started: Started) -> None:
    record = started.stopped(PREDICT_ROUTE)
    assert len(record.lost) == record.in_flight == 4
    for each in record.lost:
        assert re.fullmatch(r"no answer: RemoteDisconnected: .*, \d\.\d s after SIGTERM", each)


def test_a_request_that_is_refused_before_the_signal_is_not_one_that_the_signal_lost(
    started: Started,
) -> None:
    record = started.stopped("/nowhere")
    assert (record.in_flight, record.lost) == (0, ())
    assert record.refused == '404 {"error": "no such route"}'
