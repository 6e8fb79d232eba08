"""Whether there is a manifest that TorchServe can read."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.serving.archive.manifest import no_manifest
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME


@rule
def manifest_readable(subject: Subject) -> Iterator[Finding]:
    """`MAR-INF/MANIFEST.json` is there and says `model.modelName` and `model.handler`.

    It is JSON with the fields that torch-model-archiver writes, each a text. An archive made by zipping the
    folder around the model has it one folder too deep.

    Fix: package the model again; don't zip it by hand.
    """
    found = subject.manifest_or_problems
    if subject.view.damage is not None:
        return
    if isinstance(found, tuple):
        for problem in found:
            yield error(MANIFEST_NAME, *problem)
    elif found is None and subject.is_archive:
        deeper = sorted(name for name in subject.names if name.endswith(f"/{MANIFEST_NAME}"))
        message, fix = no_manifest(subject.view.origin)
        yield error(
            MANIFEST_NAME,
            f"{message}; it holds {deeper[0]}" if deeper else message,
            "zip what is in the folder, not the folder" if deeper else fix,
        )
