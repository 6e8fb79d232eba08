"""The probes of one container: when each is run, and what their results mean, as Kubernetes counts them."""

from collections.abc import Callable
from dataclasses import dataclass

from vertex_torchserve.emulator.containers.probes import Probe, Probes

_HURRY_SECONDS = 1.0


@dataclass
class Count:
    """The results of a probe: its state changes after as many in a row as its thresholds say.

    Attributes:
        probe: Whose.
        due: When it is run next, seconds.
        passed: Whether it passes now; at first it doesn't.
        failures: How many failures in a row came last.
        said: What the last failure was.
    """

    probe: Probe
    due: float
    passed: bool = False
    failures: int = 0
    said: str = "it has not been run yet"
    _successes: int = 0

    @property
    def failed(self) -> bool:
        """Whether the last results are as many failures as its threshold."""
        return self.failures >= self.probe.failure_threshold

    def add(self, failure: str) -> None:
        """Count a result; an empty text is a success."""
        self._successes, self.failures = (0, self.failures + 1) if failure else (self._successes + 1, 0)
        self.said = failure or self.said
        if self._successes >= self.probe.success_threshold:
            self.passed = True
        elif self.failed:
            self.passed = False


class ProbeWatch:
    """Runs probes when they are due.

    Args:
        probes: The container's.
        run: Runs one; returns why it failed, or an empty text.
        started: When the container was started, seconds.
    """

    def __init__(self, probes: Probes, run: Callable[[Probe], str], started: float) -> None:
        self._run = run
        self._startup = _count(probes.startup, started) if probes.startup else None
        self._health = _count(probes.health, started)
        self._liveness = _count(probes.liveness, started)
        self._was_healthy = False

    def step(self, now: float) -> None:
        """Run what is due at `now`: the startup probe until it passes, then the others."""
        if self._startup and not self._startup.passed:
            self._take(self._startup, now)
            return
        self._take(self._health, now)
        self._take(self._liveness, now)

    @property
    def obstacle(self) -> str:
        """Why the container gets no traffic; empty when it does."""
        if self._startup and not self._startup.passed:
            return f"its startup probe has not passed ({self._startup.said})"
        return "" if self._health.passed else f"its health probe does not pass ({self._health.said})"

    @property
    def verdict(self) -> str:
        """Why the container must be started again; empty when it need not."""
        for name, count in (("startup", self._startup), ("liveness", self._liveness)):
            if count and count.failed:
                return f"its {name} probe failed {count.failures} times in a row ({count.said})"
        return ""

    def _take(self, count: Count, now: float) -> None:
        if now >= count.due:
            count.add(self._run(count.probe))
            self._was_healthy = self._was_healthy or self._health.passed
            hurries = count.probe.hurries and not self._was_healthy
            count.due = now + (_HURRY_SECONDS if hurries else count.probe.period_seconds)


def _count(probe: Probe, started: float) -> Count:
    return Count(probe, started + probe.initial_delay_seconds)
