"""Whether what the manifest names is there."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.serving.archive.manifest import missing_files
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME


@rule
def manifest_names_files(subject: Subject) -> Iterator[Finding]:
    """Every file that the manifest names is in the archive.

    The serialized file, the model file, the requirements, the configuration and a handler that ends in
    `.py`, each under exactly the name that the manifest has.

    Fix: package the model again with that file.
    """
    if subject.manifest is not None:
        for problem in missing_files(subject.view.origin, subject.manifest, subject.names):
            yield error(MANIFEST_NAME, *problem)
