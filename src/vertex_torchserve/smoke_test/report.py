"""What a smoke test saw, check by check."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import ServingError


@dataclass(frozen=True)
class Check:
    """One thing the smoke test looked at.

    Attributes:
        name: `archive`, `ready`, `status`, `json`, `predictions` or `stopped`.
        ok: Whether it is as it must be.
        detail: What was seen.
    """

    name: str
    ok: bool
    detail: str


@dataclass
class SmokeTestReport:
    """What was seen.

    Attributes:
        mar_path: The archive.
        model_name: The name it was served under.
        image: The image it was served in; None for a process with no Docker.
        ready_seconds: From the start until it was ready; None when it never was.
        checks: In the order in which they were made; the first that fails is the last.
        predictions: What the model answered, one for each instance; empty when it did not.
    """

    mar_path: Path
    model_name: str
    image: str | None = None
    ready_seconds: float | None = None
    checks: list[Check] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the archive served right."""
        return all(check.ok for check in self.checks)

    def failure(self) -> str:
        """What failed and how; empty when nothing did."""
        return "\n".join(f"{check.name}: {check.detail}" for check in self.checks if not check.ok)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "mar_path": str(self.mar_path),
            "model_name": self.model_name,
            "image": self.image,
            "ok": self.ok,
            "ready_seconds": self.ready_seconds,
            "checks": [vars(check) for check in self.checks],
            "predictions": self.predictions,
        }


@contextmanager
def recorded(report: SmokeTestReport, name: str) -> Iterator[list[str]]:
    """Add a check to the report: passed with what the block saw, or failed with the ServingError it raised.

    Args:
        report: Gets the check.
        name: The check's.

    Yields:
        A list for what was seen.
    """
    seen: list[str] = []
    try:
        yield seen
    except ServingError as error:
        report.checks.append(Check(name, False, error.message.strip()))
    else:
        report.checks.append(Check(name, True, "; ".join(seen)))
