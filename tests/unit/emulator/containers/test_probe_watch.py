"""When probes are run and what their results mean, second by second, on a clock of the test's own."""

from collections.abc import Sequence
from typing import Any

from vertex_torchserve.emulator.containers.probe_watch import ProbeWatch
from vertex_torchserve.emulator.containers.probes import Probe, Probes

EXEC = {"exec": {"command": ["true"]}}
ROUTE = {"path": "/ping"}


class Container:
    """One whose probes answer as `results` says: for each kind the seconds in which it succeeds."""

    def __init__(self, spec: dict[str, Any], results: dict[str, Sequence[int]]) -> None:
        self.now = 0
        self.runs: dict[str, list[int]] = {}
        probes = Probes.of(spec, "/ping")
        self._kinds = {id(getattr(probes, kind)): kind for kind in ("startup", "health", "liveness")}
        self._results = results
        self.watch = ProbeWatch(probes, self.answer, 0)

    def answer(self, probe: Probe) -> str:
        kind = self._kinds[id(probe)]
        self.runs.setdefault(kind, []).append(self.now)
        return "" if self.now in self._results.get(kind, range(10_000)) else f"{kind} fails"

    def until(self, second: int) -> "Container":
        while self.now <= second:
            self.watch.step(self.now)
            self.now += 1
        return self


def test_what_is_not_given_is_as_kubernetes_has_it() -> None:
    probe = Probe.of(EXEC)
    numbers = (probe.initial_delay_seconds, probe.period_seconds, probe.timeout_seconds)
    assert (numbers, probe.success_threshold, probe.failure_threshold) == ((0, 10, 1), 1, 3)
    assert probe.statuses == range(200, 400)


def test_without_probes_the_documented_checks_are_made() -> None:
    probes = Probes.of({}, "/ping")
    assert probes.startup is None
    assert (probes.health.kind, probes.health.action, probes.health.statuses) == (
        "httpGet",
        {"path": "/ping"},
        range(200, 201),
    )
    assert (probes.health.period_seconds, probes.health.timeout_seconds, probes.health.failure_threshold) == (
        10,
        10,
        4,
    )
    assert (probes.liveness.kind, probes.liveness.period_seconds, probes.liveness.failure_threshold) == (
        "tcpSocket",
        10,
        4,
    )


def test_the_others_wait_for_the_startup_probe() -> None:
    spec = {"startupProbe": EXEC | {"periodSeconds": 5, "initialDelaySeconds": 3, "failureThreshold": 9}}
    container = Container(spec, {"startup": range(12, 99)}).until(7)
    assert container.runs == {"startup": [3]}
    assert container.watch.obstacle == "its startup probe has not passed (startup fails)"
    container.until(14)
    assert container.runs["startup"] == [3, 8, 13]
    assert container.runs["health"] == [14]
    assert container.watch.obstacle == ""
    container.until(60)
    assert container.runs["startup"] == [3, 8, 13]


def test_a_startup_probe_that_keeps_failing_ends_the_container() -> None:
    container = Container({"startupProbe": EXEC}, {"startup": ()}).until(19)
    assert container.watch.verdict == ""
    container.until(20)
    assert container.watch.verdict == "its startup probe failed 3 times in a row (startup fails)"


def test_health_takes_traffic_away_and_gives_it_back() -> None:
    spec = {
        "healthProbe": EXEC | {"periodSeconds": 1, "failureThreshold": 3, "successThreshold": 2},
    }
    good = [*range(5), *range(8, 10), *range(20, 99)]
    container = Container(spec, {"health": good}).until(0)
    assert container.watch.obstacle != ""
    assert container.until(1).watch.obstacle == ""
    # Two failures and then successes: not three in a row.
    assert container.until(6).watch.obstacle == ""
    assert container.until(9).watch.obstacle == ""
    assert container.until(11).watch.obstacle == ""
    assert container.until(12).watch.obstacle == "its health probe does not pass (health fails)"
    assert container.until(20).watch.obstacle != ""
    assert container.until(21).watch.obstacle == ""
    assert container.watch.verdict == ""


def test_the_default_health_check_hurries_until_the_container_is_ready() -> None:
    container = Container({}, {"health": range(3, 999)}).until(30)
    assert container.runs["health"] == [0, 1, 2, 3, 13, 23]


def test_four_failed_connections_end_the_container() -> None:
    container = Container({}, {"liveness": range(100)}).until(129)
    assert container.watch.verdict == ""
    container.until(130)
    assert container.watch.verdict == "its liveness probe failed 4 times in a row (liveness fails)"
