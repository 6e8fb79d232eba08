"""A requirements file that nobody reads."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_NAME = "requirements.txt"


@rule
def requirements_named(subject: Subject) -> Iterator[Finding]:
    """A `requirements.txt` at the archive's root is the one that the manifest names.

    TorchServe installs only the file that the manifest names.

    Fix: package with `--requirements-file requirements.txt`, or leave the file out.
    """
    manifest = subject.manifest
    if manifest is not None and manifest.requirements_file is None and subject.holds(_NAME):
        yield warning(
            _NAME,
            f"{_NAME} is in the archive and the manifest does not name it: it is never installed",
            "package with `--requirements-file`, or leave it out",
        )
