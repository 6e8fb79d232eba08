"""Whether pip can install the requirements in the image."""

import json
from collections.abc import Iterator
from pathlib import Path

from vertex_torchserve.archive_check.finding import Finding, error, note
from vertex_torchserve.archive_check.image_modules import resolving
from vertex_torchserve.archive_check.requirement_members import MOST_BYTES, WHEELS, packed_requirements
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.docker import output_of

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
    content = packed_requirements(subject)
    if content is None:
        yield note(
            requirements.member,
            f"pip was not asked: {WHEELS} and the files that lines name have more than {MOST_BYTES:,} bytes",
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
        brings = any(name.startswith(WHEELS) for name in subject.names)
        yield note(
            requirements.member,
            f"each start installs {len(answer['install'])} packages: {', '.join(answer['install'])}",
            "nothing; an image that has them starts faster"
            if brings
            else "`package --vendor-wheels` puts them into the archive; an image that has them starts faster",
        )
