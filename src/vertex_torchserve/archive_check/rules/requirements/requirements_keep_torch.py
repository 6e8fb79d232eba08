"""Requirements that want another torch."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_HELD = ("torch", "torchserve")


@rule
def requirements_keep_torch(subject: Subject) -> Iterator[Finding]:
    """The requirements accept the image's torch and torchserve.

    Both are held at the image's version when requirements are installed, so that no second torch comes
    beside the image's. A line that wants another version can't be installed.

    Fix: leave the line out, or accept the image's version.
    """
    from packaging.specifiers import SpecifierSet

    requirements = subject.requirements
    for line in requirements.lines:
        has = subject.image.versions.get(line.name or "")
        if line.name in _HELD and has and not SpecifierSet(line.versions).contains(has, prereleases=True):
            yield error(
                f"{requirements.member}:{line.number}",
                f"{line.text} wants another {line.name} than {subject.image.name} has, {has}, which is held",
                f"leave the line out, or write `{line.name}=={has.partition('+')[0]}`",
                depends_on_image=True,
            )
