"""Run the rules over an archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.archive_check.finding import Finding, Severity
from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.opening import open_archive
from vertex_torchserve.archive_check.rule_table import RULES
from vertex_torchserve.archive_check.subject import Subject


@dataclass(frozen=True)
class CheckReport:
    """What was found.

    Attributes:
        path: What was checked.
        image: The image that it was checked for.
        findings: Errors first, then warnings, then notes.
    """

    path: str
    image: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error among the findings."""
        return not any(each.severity is Severity.ERROR for each in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "path": self.path,
            "image": self.image,
            "ok": self.ok,
            "findings": [each.as_json() for each in self.findings],
        }


def check_path(path: str, image: ImageModules | None = None) -> CheckReport:
    """Check what a path names.

    Args:
        path: A .mar, a .tar.gz, an unpacked archive or a model folder, or the gs:// path of one.
        image: What the image has that is to serve it; None: this project's images.

    Raises:
        InputError: When there is nothing, or it can't be read.
        StorageError: When Cloud Storage goes on failing.
    """
    opened = open_archive(path)
    modules = image or of_our_images()
    subject = Subject(opened.view, modules, is_archive=opened.is_packed or None)
    return CheckReport(path, modules.name, tuple(findings_of(subject)))


def findings_of(subject: Subject) -> Sequence[Finding]:
    """What the rules find, errors first."""
    found = [finding for rule in RULES for finding in rule.check(subject)]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))
