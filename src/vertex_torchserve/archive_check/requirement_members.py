"""What pip needs of an archive to install its requirements."""

import contextlib
import io
import tarfile
from pathlib import PurePosixPath

from vertex_torchserve.archive_check.reading.requirements_file import RequirementsFile
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.view import MemberError

WHEELS = "wheels/"
# They are read into memory and sent to a container.
MOST_BYTES = 200 << 20


def packed_requirements(subject: Subject) -> bytes | None:
    """A tar of the requirements file, `wheels/`, and the files and folders that lines name.

    Args:
        subject: An archive with requirements.

    Returns:
        None when they have more than `MOST_BYTES`.
    """
    files = _named_files(subject)
    wanted = [
        name
        for name in sorted(subject.names)
        if name == subject.requirements.member
        or name.startswith(WHEELS)
        or any(file in (".", name) or name.startswith(f"{file}/") for file in files)
    ]
    if sum(subject.view.sizes[name] for name in wanted) > MOST_BYTES:
        return None
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in wanted:
            try:
                text = subject.text(name, MOST_BYTES)
            except MemberError:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return content.getvalue()


def _named_files(subject: Subject) -> set[str]:
    """The files and folders that lines name, and those of files that lines include (`-r more.txt`)."""
    found: set[str] = set()
    waiting = [subject.requirements]
    while waiting:
        for line in waiting.pop().lines:
            name = str(PurePosixPath(line.file)) if line.file else None
            if name is None or name in found:
                continue
            found.add(name)
            if line.is_option and subject.holds(name):
                with contextlib.suppress(MemberError):
                    waiting.append(RequirementsFile.read(name, subject.text(name)))
    return found
