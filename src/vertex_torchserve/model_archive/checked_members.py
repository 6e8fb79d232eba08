"""The rules of `archive_check`, run on what is about to be packaged.

Which image will serve it is not known here: what the serving images lack, another may have. So an error that
depends on the image is a warning here.
"""

from collections.abc import Collection
from typing import NamedTuple

from vertex_torchserve.archive_check.check import findings_of
from vertex_torchserve.archive_check.finding import Finding, Severity
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.folder_view import FilesView
from vertex_torchserve.errors import Problem
from vertex_torchserve.model_archive.members import Members
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME

# An input that is missing is told where the inputs are checked, with the input's own name.
_OF_INPUTS = frozenset({"manifest-readable", "manifest-names-files"})
# What another start may install; a lock settles it.
_OF_UNLOCKED = frozenset({"requirements-pinned", "requirements-from-an-index"})


class Checked(NamedTuple):
    """What the rules found.

    Attributes:
        problems: Why the archive would not serve.
        warnings: What will surprise, one text each.
        subject: What they looked at.
    """

    problems: list[Problem]
    warnings: tuple[str, ...]
    subject: Subject


def check_members(
    members: Members, manifest: str, *, told: bool, locks: bool, made: Collection[str] = ()
) -> Checked:
    """Run the rules on an archive before it is written.

    Args:
        members: Archive name -> source file.
        manifest: The manifest's text.
        told: Whether problems of the inputs are told already; what follows from those isn't told again.
        locks: Whether the requirements will be locked.
        made: Names of what else will be in the archive, and isn't made yet.
    """
    view = FilesView(
        "the archive",
        members,
        {MANIFEST_NAME: manifest.encode(), **{name: b"" for name in made if name not in members}},
        "rename them, or keep them out with an ignore pattern",
    )
    subject = Subject(view, of_our_images(), is_archive=True)
    findings = findings_of(subject)
    new = [finding for finding in findings if not (told and finding.rule in _OF_INPUTS)]
    refused = [each for each in new if each.severity is Severity.ERROR and not each.depends_on_image]
    surprising = [
        each
        for each in new
        if each not in refused
        and each.severity is not Severity.NOTE
        and not (locks and each.rule in _OF_UNLOCKED and each.severity is Severity.WARNING)
    ]
    return Checked(
        [_problem(each, members) for each in refused],
        tuple(each.as_text() for each in surprising),
        subject,
    )


def _problem(finding: Finding, members: Members) -> Problem:
    """The finding as a refusal, with the path of the source in place of the member's name."""
    member, _, _ = finding.where.partition(":")
    source = members.get(member)
    return Problem(f"{source}: {finding.message}" if source else finding.message, finding.fix)
