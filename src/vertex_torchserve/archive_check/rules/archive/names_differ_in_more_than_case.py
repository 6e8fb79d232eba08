"""Names that are one file on some disks."""

from collections import defaultdict
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def names_differ_in_more_than_case(subject: Subject) -> Iterator[Finding]:
    """No two names differ in upper and lower case only.

    Linux serves both files. On the disk of a Mac or of Windows one takes the place of the other when the
    archive is unpacked there.

    Fix: rename one of them.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in subject.names:
        alike[name.casefold()].append(name)
    for names in alike.values():
        if len(names) > 1:
            yield warning(
                names[0],
                f"{', '.join(sorted(names))} differ in upper and lower case only",
                "rename one of them",
            )
