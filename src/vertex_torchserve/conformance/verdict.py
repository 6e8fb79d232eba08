"""What a check comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What it means when a check fails."""

    MUST = "must"  # the image breaks the contract: Vertex AI can't use it, or answers are lost
    SHOULD = "should"  # it serves, and will surprise somebody


class Result(StrEnum):
    """How a check went."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


class Broken(Exception):  # noqa: N818 (what a check says of the server, no error of this program)
    """The server does not do what a check asks for; the text is what was seen."""


class NotRun(Exception):  # noqa: N818
    """A check can't be made; the text is why."""


@dataclass(frozen=True)
class Verdict:
    """How one check went.

    Attributes:
        check: Its name.
        group: What it is about.
        severity: What its failure means.
        result: Passed, failed or not run.
        evidence: What was seen, or why it was not run.
        source: Where the contract says it.
        fix: What to do when it failed.
        seconds: How long it took, with the starts that it needed.
    """

    check: str
    group: str
    severity: Severity
    result: Result
    evidence: str
    source: str
    fix: str
    seconds: float

    @property
    def breaks_contract(self) -> bool:
        """Whether it is a failure of what an image must do."""
        return self.result is Result.FAILED and self.severity is Severity.MUST
