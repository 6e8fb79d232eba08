"""Whether the file is an archive at all."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def archive_readable(subject: Subject) -> Iterator[Finding]:
    """The file is a whole zip, or a whole .tar.gz.

    One that was cut off on its way, or is of another format, is never unpacked. TorchServe itself starts
    with such a file and calls itself healthy.

    Fix: copy or upload it again, or package the model again.
    """
    if subject.view.damage:
        yield error(subject.view.origin, *subject.view.damage)
