"""One thing that a rule found in an archive."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # it won't serve
    WARNING = "warning"  # it will surprise
    NOTE = "note"  # good to know


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found.

    Attributes:
        severity: How bad it is.
        where: The member, and its line after a colon where there is one: `handler.py:12`.
        message: What was found, and what is accepted.
        fix: What to do about it.
        depends_on_image: Whether another image may have what lacks.
        rule: The name of the rule; `Rule.check` fills it in.
    """

    severity: Severity
    where: str
    message: str
    fix: str
    depends_on_image: bool = False
    rule: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding for `--json`."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "where": self.where,
            "message": self.message,
            "fix": self.fix,
        }

    def as_text(self) -> str:
        """The finding in one paragraph, for a log."""
        return f"{self.where}: {self.message}; fix: {self.fix} [{self.rule}]"


def error(where: str, message: str, fix: str, *, depends_on_image: bool = False) -> Finding:
    """It won't serve."""
    return Finding(Severity.ERROR, where, message, fix, depends_on_image)


def warning(where: str, message: str, fix: str) -> Finding:
    """It will surprise."""
    return Finding(Severity.WARNING, where, message, fix)


def note(where: str, message: str, fix: str) -> Finding:
    """Good to know."""
    return Finding(Severity.NOTE, where, message, fix)
