"""Whether the members can become the files of one folder."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def members_unpack(subject: Subject) -> Iterator[Finding]:
    """Each member is a plain file of its own within the model's folder, stored or deflated.

    Refused are two members of one name, a file that is a folder too, names that leave the folder or that no
    file system holds, links, encrypted members and compressions that TorchServe can't read. The server
    refuses them by the same function.

    Fix: rename or remove those members, or package the model again.
    """
    for problem in subject.view.problems:
        yield error(subject.view.origin, *problem)
