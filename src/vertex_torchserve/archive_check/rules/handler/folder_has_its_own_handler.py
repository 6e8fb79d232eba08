"""A Hub folder's own handler, which the reference handler takes no notice of."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.reading.handler_reference import ENDPOINT_CLASS
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_NAME = "handler.py"


@rule
def folder_has_its_own_handler(subject: Subject) -> Iterator[Finding]:
    """A model folder for the reference handler brings no `handler.py` of its own.

    Folders of the Hugging Face Hub may hold a `handler.py` with a class `EndpointHandler`, which their
    authors wrote for Inference Endpoints. The reference handler does not run it: its task answers in its
    place, and that is refused, because it is not what the folder's authors meant.

    Fix: package the folder with `--handler endpoint:handler.py`, which runs it; or leave it out
    (`--ignore handler.py`; the component: `extra_files_to_ignore`) when the reference handler is meant.
    """
    if not subject.by_reference_handler or not subject.holds(_NAME):
        return
    classes = [node.name for node in subject.python(_NAME).body if isinstance(node, ast.ClassDef)]
    if not subject.is_archive and ENDPOINT_CLASS not in classes:
        return  # it may be the one that the folder is to be packaged with
    is_refused = subject.is_archive and ENDPOINT_CLASS in classes
    yield (error if is_refused else warning)(
        _NAME,
        f"the folder's own {_NAME} ({', '.join(classes) or 'no class'}) is not run: the reference handler "
        "serves the model",
        f"package with `--handler endpoint:{_NAME}`, which runs its {ENDPOINT_CLASS}, or leave it out with "
        f"`--ignore {_NAME}` (the component: extra_files_to_ignore)",
    )
