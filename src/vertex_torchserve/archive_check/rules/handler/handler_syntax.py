"""Whether the handler is Python."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def handler_syntax(subject: Subject) -> Iterator[Finding]:
    """The handler and the archive's modules that it imports are Python, in UTF-8.

    They are parsed by the Python that runs the check, and not run.

    Fix: correct the line; save the file as UTF-8.
    """
    handler = subject.handler
    if handler is None or handler.member is None:
        return
    for member in subject.reached_sources():
        fault = subject.python(member).fault
        if fault is not None:
            what = f"handler {member}" if member in (handler.member, subject.adapted_handler) else member
            yield error(
                f"{member}:{fault.line}",
                f"{what}, line {fault.line}: {fault.message}",
                "correct the syntax of the file",
            )
