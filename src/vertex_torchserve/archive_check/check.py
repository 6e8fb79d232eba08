"""Run the rules over an archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.archive_check.finding import Finding, Severity
from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.image_modules.named import inventory_named
from vertex_torchserve.archive_check.opening import Opened, open_archive
from vertex_torchserve.archive_check.rule_table import RULES
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import Problem, raise_problems, told_together


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
    return _report(path, open_archive(path), image or of_our_images())


def check_for_image(path: str, image: str) -> CheckReport:
    """Check what a path names for an image that is named.

    Args:
        path: As for `check_path`.
        image: `cpu` or `gpu` for this project's own, a .json file with an inventory; any other is asked by
            Docker.

    Raises:
        InputError: When there is nothing, it can't be read, or there is no such image; all of it together.
        StorageError: When Cloud Storage goes on failing.
        DockerError: There is no engine, or no Python in the image.
    """
    problems: list[Problem] = []
    with told_together(problems):
        opened = open_archive(path)
    with told_together(problems):
        modules = inventory_named(image)
    raise_problems(problems)
    return _report(path, opened, modules)


def _report(path: str, opened: Opened, modules: ImageModules) -> CheckReport:
    subject = Subject(opened.view, modules, is_archive=opened.is_packed or None)
    return CheckReport(path, modules.name, tuple(findings_of(subject)))


def findings_of(subject: Subject) -> Sequence[Finding]:
    """What the rules find, errors first."""
    found = [finding for rule in RULES for finding in rule.check(subject)]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))
