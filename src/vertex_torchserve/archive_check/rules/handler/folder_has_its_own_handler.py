"""A Hub folder's own handler, which the reference handler takes no notice of."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.reading.handler_reference import ENDPOINT_CLASS, PIPELINE_CLASS
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_CLASSES = {"handler.py": ENDPOINT_CLASS, "pipeline.py": PIPELINE_CLASS}


@rule
def folder_has_its_own_handler(subject: Subject) -> Iterator[Finding]:
    """A model folder for the reference handler brings no `handler.py` or `pipeline.py` of its own.

    Folders of the Hugging Face Hub may hold a `handler.py` with a class `EndpointHandler`, which their
    authors wrote for Inference Endpoints, or a `pipeline.py` with a class `PreTrainedPipeline`, for the
    Inference API before them. The reference handler does not run it: its task answers in its
    place, and that is refused, because it is not what the folder's authors meant.

    Fix: package the folder with `--handler endpoint:handler.py` (or `pipeline.py`), which runs it; or leave
    it out (`--ignore handler.py`; the component: `extra_files_to_ignore`) when the reference handler is
    meant.
    """
    if not subject.by_reference_handler:
        return
    for name, wanted in _CLASSES.items():
        if subject.holds(name):
            yield from _findings(subject, name, wanted)


def _findings(subject: Subject, name: str, wanted: str) -> Iterator[Finding]:
    classes = [node.name for node in subject.python(name).body if isinstance(node, ast.ClassDef)]
    if wanted not in classes and (not subject.is_archive or wanted == PIPELINE_CLASS):
        return  # it may be the one that the folder is to be packaged with, or no handler at all
    is_refused = subject.is_archive and wanted in classes
    yield (error if is_refused else warning)(
        name,
        f"the folder's own {name} ({', '.join(classes) or 'no class'}) is not run: the reference handler "
        "serves the model",
        f"package with `--handler endpoint:{name}`, which runs its {wanted}, or leave it out with "
        f"`--ignore {name}` (the component: extra_files_to_ignore)",
    )
