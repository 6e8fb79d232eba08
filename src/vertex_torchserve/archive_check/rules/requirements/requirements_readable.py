"""Whether pip can read the requirements."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def requirements_readable(subject: Subject) -> Iterator[Finding]:
    """Each line of the requirements is one that pip can read, in UTF-8.

    pip stops at the first line that it can't read, when the model is loaded.

    Fix: correct the line at the column that is named.
    """
    requirements = subject.requirements
    if requirements.fault is not None:
        yield error(requirements.member, requirements.fault, "save the file as UTF-8, and package again")
    for line in requirements.lines:
        if line.fault is not None:
            message, column = line.fault
            yield error(
                f"{requirements.member}:{line.number}",
                f"line {line.number}, column {column}: {line.text!r}: {message}",
                "write `NAME==VERSION`",
            )
