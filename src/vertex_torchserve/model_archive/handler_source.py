"""Find the handler that a spec names; the rules of `archive_check` look at its source."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from model_archiver.model_packaging_utils import model_handlers

from vertex_torchserve.errors import Problem
from vertex_torchserve.packaged_files import REFERENCE_HANDLER_FILE, reference_handler

REFERENCE_HANDLER = "huggingface"
TORCHSERVE_HANDLERS = frozenset(model_handlers)


class Handler(NamedTuple):
    """A resolved handler.

    Attributes:
        manifest_name: What the manifest's `handler` says, such as `handler.py:predict`.
        sources: The files to pack by their names in the archive; none for one of TorchServe's own.
    """

    manifest_name: str
    sources: Mapping[str, Path]


def resolve_handler(handler: str, problems: list[Problem]) -> Handler:
    """Find the handler.

    Args:
        handler: As in `ModelArchiveSpec`.
        problems: What is wrong with it is added here.
    """
    if handler in TORCHSERVE_HANDLERS:
        return Handler(handler, {})
    if handler == REFERENCE_HANDLER:
        return Handler(REFERENCE_HANDLER_FILE, reference_handler())
    file_name, _, function = handler.partition(":")
    source = Path(file_name)
    if source.suffix != ".py" or not source.is_file():
        problems.append(
            Problem(
                f"handler {handler!r} is not a Python file that exists; accepted are a .py file (or FILE.py:"
                f"FUNCTION), `{REFERENCE_HANDLER}`, or one of {', '.join(sorted(TORCHSERVE_HANDLERS))}",
                "correct the path or the name of the handler",
            )
        )
    sources = {source.name: source} if source.is_file() else {}
    return Handler(source.name + (f":{function}" if function else ""), sources)
