"""Requirements that are URLs or files."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.url_credentials import without_credentials


@rule
def requirements_from_an_index(subject: Subject) -> Iterator[Finding]:
    """Requirements come from an index or from the archive: no URLs, and no file that the archive lacks.

    A URL has to be reached at each start of a container; one of git needs git, which the image lacks. A file
    (`./mypkg.whl`, `-r more.txt`, `-e .`) is looked for among the archive's members.

    Fix: name the package and its version, or put its wheel into the archive's `wheels/`; add a missing file
    with `--extra-file`.
    """
    requirements = subject.requirements
    for line in requirements.lines:
        where = f"{requirements.member}:{line.number}"
        if line.url is not None:
            of_git = "git+" in line.url
            yield warning(
                where,
                f"{without_credentials(line.text)} is fetched from its URL at each start"
                + (", with git, which the image lacks" if of_git else ""),
                "name the package and its version, or put its wheel into the archive as `wheels/`",
            )
        elif line.file is not None and not _is_there(subject, line.file):
            yield error(
                where,
                f"{line.text!r} names a file that is not in the archive",
                "put it into the archive (`--extra-file`), under the name that the line has",
            )


def _is_there(subject: Subject, named: str) -> bool:
    path = PurePosixPath(named)
    if path.is_absolute() or ".." in path.parts:
        return False
    parts = [part for part in path.parts if part != "."]
    name = "/".join(parts)
    return not parts or subject.holds(name) or any(each.startswith(f"{name}/") for each in subject.names)
