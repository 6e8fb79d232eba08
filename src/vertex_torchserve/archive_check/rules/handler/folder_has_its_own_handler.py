"""A Hub folder's own handler, which the reference handler takes no notice of."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_NAME = "handler.py"
_ENDPOINT = "EndpointHandler"


@rule
def folder_has_its_own_handler(subject: Subject) -> Iterator[Finding]:
    """A model folder for the reference handler brings no `handler.py` of its own.

    Folders of the Hugging Face Hub may hold a `handler.py` with a class `EndpointHandler`, which their
    authors wrote for Inference Endpoints. The reference handler does not run it: its task answers in its
    place.

    Fix: leave `handler.py` out (`--ignore handler.py`) when the reference handler is meant, or package the
    folder with a handler that calls it.
    """
    if not subject.by_reference_handler or not subject.holds(_NAME):
        return
    classes = [node.name for node in subject.python(_NAME).body if isinstance(node, ast.ClassDef)]
    if not subject.is_archive and _ENDPOINT not in classes:
        return  # it may be the one that the folder is to be packaged with
    yield warning(
        _NAME,
        f"the folder's own {_NAME} ({', '.join(classes) or 'no class'}) is not run: the reference handler "
        "serves the "
        "model",
        f"leave it out with `--ignore {_NAME}` when that is meant, or package with a handler of your own "
        "that calls it",
    )
