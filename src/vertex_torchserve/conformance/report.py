"""What the checks of one server came to."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.conformance.verdict import Result, Severity, Verdict


@dataclass(frozen=True)
class ConformanceReport:
    """What was found.

    Attributes:
        server: What was tried: an image, or what a process was started with.
        seconds: How long it took.
        verdicts: One for each check, in their order.
    """

    server: str
    seconds: float
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed of what an image must do."""
        return not any(each.breaks_contract for each in self.verdicts)

    @property
    def failed(self) -> list[Verdict]:
        """The checks that failed, whatever their severity."""
        return [each for each in self.verdicts if each.result is Result.FAILED]

    def summary(self) -> str:
        """The numbers, in one line."""
        counts = Counter(each.result for each in self.verdicts)
        broken = sum(each.breaks_contract for each in self.verdicts)
        failed = counts[Result.FAILED]
        return (
            f"{counts[Result.PASSED]} passed, {failed} failed ({broken} {Severity.MUST}, "
            f"{failed - broken} {Severity.SHOULD}), {counts[Result.NOT_RUN]} not run, in {self.seconds:.0f} s"
        )

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "image": self.server,
            "ok": self.ok,
            "seconds": round(self.seconds, 1),
            "checks": [vars(each) for each in self.verdicts],
        }
