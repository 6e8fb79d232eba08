"""Requirements of any version."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_FOLDER = "wheels/"


@rule
def requirements_pinned(subject: Subject) -> Iterator[Finding]:
    """Each requirement that the image lacks is pinned to one version (`NAME==VERSION`).

    They are installed at each start of a container, months after the archive was made: without a pin it is
    another version each time. Those that come from the archive's own `wheels/` or have constraints (`-c`),
    and those that the image has, stay as they are.

    Fix: write the version that the model was tried with.
    """
    requirements = subject.requirements
    by_constraints = any(line.text.startswith(("-c", "--constraint")) for line in requirements.lines)
    if by_constraints or any(name.startswith(_FOLDER) for name in subject.names):
        return
    loose = [
        line
        for line in requirements.lines
        if line.name
        and line.url is None
        and "==" not in line.versions
        and line.name not in subject.image.versions
    ]
    if loose:
        yield warning(
            f"{requirements.member}:{loose[0].number}",
            f"{', '.join(line.text for line in loose)}: no version is pinned, so each start may install "
            "another",
            "write the version that the model was tried with: `NAME==VERSION`",
        )
