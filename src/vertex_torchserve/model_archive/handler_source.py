"""Find the handler that a spec names; the rules of `archive_check` look at its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from model_archiver.model_packaging_utils import model_handlers

from vertex_torchserve.errors import Problem
from vertex_torchserve.model_archive.foreign_handler import find_foreign_handler, split_foreign
from vertex_torchserve.packaged_files import ADAPTER_FILES, REFERENCE_HANDLER_FILE, adapter, reference_handler

REFERENCE_HANDLER = "huggingface"
TORCHSERVE_HANDLERS = frozenset(model_handlers)
FOREIGN_HANDLERS = " or ".join(f"`{kind}:FILE.py`" for kind in ADAPTER_FILES)


@dataclass(frozen=True)
class Handler:
    """A resolved handler.

    Attributes:
        manifest_name: What the manifest's `handler` says, such as `handler.py:predict`.
        sources: The files to pack by their names in the archive; none for one of TorchServe's own.
        settings: What the archive's model config must say of it, below `handler`.
        requirements: Those that belong to it; None when there are none.
    """

    manifest_name: str
    sources: Mapping[str, Path]
    settings: Mapping[str, str] = field(default_factory=dict)
    requirements: Path | None = None


def resolve_handler(handler: str, model_folder: Path, problems: list[Problem]) -> Handler:
    """Find the handler.

    Args:
        handler: As in `ModelArchiveSpec`.
        model_folder: As in `ModelArchiveSpec`.
        problems: What is wrong with it is added here.
    """
    if handler in TORCHSERVE_HANDLERS:
        return Handler(handler, {})
    if handler == REFERENCE_HANDLER:
        return Handler(REFERENCE_HANDLER_FILE, reference_handler())
    kind, _ = split_foreign(handler)
    if kind:
        foreign = find_foreign_handler(handler, model_folder, problems)
        if foreign is None:
            return Handler(ADAPTER_FILES[kind], {})
        sources = {**adapter(kind), foreign.member: foreign.file}
        return Handler(ADAPTER_FILES[kind], sources, {"file": foreign.member}, foreign.requirements)
    file_name, _, function = handler.partition(":")
    source = Path(file_name)
    if source.suffix != ".py" or not source.is_file():
        problems.append(
            Problem(
                f"handler {handler!r} is not a Python file that exists; accepted are a .py file (or FILE.py:"
                f"FUNCTION), {FOREIGN_HANDLERS}, `{REFERENCE_HANDLER}`, or one of "
                f"{', '.join(sorted(TORCHSERVE_HANDLERS))}",
                "correct the path or the name of the handler",
            )
        )
    sources = {source.name: source} if source.is_file() else {}
    return Handler(source.name + (f":{function}" if function else ""), sources)
