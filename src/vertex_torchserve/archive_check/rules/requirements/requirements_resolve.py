"""Whether pip can install the requirements in the image."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from vertex_torchserve.archive_check.finding import Finding, error, note
from vertex_torchserve.archive_check.image_modules import resolving
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.docker import output_of

_WHEELS = "wheels/"
# Of wheels and files together; they are sent to the container from memory.
_MOST_BYTES = 200 << 20
_OPTIONS = ("--network", "host", "--entrypoint", "python3")


@rule
def requirements_resolve(subject: Subject) -> Iterator[Finding]:
    """With `--image`, pip in that image finds a version of every requirement, and they agree with each other.

    pip's own resolver is asked in a container (`--dry-run`), with torch and torchserve held as the server
    holds them, and with the archive's `wheels/` when it has some. What it would install is a note.

    Fix: change the versions that pip names.
    """
    requirements, image = subject.requirements, subject.image.asked
    if image is None or not requirements.lines or subject.view.problems:
        return
    if any(line.fault for line in requirements.lines):
        return
    content = _packed(subject)
    if content is None:
        yield note(
            requirements.member,
            f"pip was not asked: {_WHEELS} and the files that lines name have more than {_MOST_BYTES:,} "
            "bytes",
            "try it with a smoke test in the image",
        )
        return
    program = Path(resolving.__file__).read_text(encoding="utf-8")
    command = ("-I", "-c", program, requirements.member)
    answer = json.loads(output_of(image, *command, options=_OPTIONS, standard_input=content))
    if answer["errors"]:
        yield error(
            requirements.member,
            f"pip can't install them in {subject.image.name}: " + "\n  ".join(answer["errors"]),
            "change the versions that pip names, or put the wheels into the archive as `wheels/`",
            depends_on_image=True,
        )
    elif answer["install"]:
        yield note(
            requirements.member,
            f"each start installs {len(answer['install'])} packages: {', '.join(answer['install'])}",
            "nothing, or an image that has them, to start faster",
        )


def _packed(subject: Subject) -> bytes | None:
    """A tar of the requirements and of what they take from the archive; None when it is too large."""
    files = {str(Path(line.file)) for line in subject.requirements.lines if line.file}
    wanted = [
        name
        for name in sorted(subject.names)
        if name == subject.requirements.member
        or name.startswith(_WHEELS)
        or any(file in (".", name) or name.startswith(f"{file}/") for file in files)
    ]
    if sum(subject.view.sizes[name] for name in wanted) > _MOST_BYTES:
        return None
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in wanted:
            try:
                text = subject.text(name, _MOST_BYTES)
            except MemberError:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return content.getvalue()
