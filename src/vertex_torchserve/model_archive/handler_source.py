"""Find the handler a spec names and look at its source, without running it.

TorchServe answers a handler it can't use with "Worker died.", minutes later. Most of what can be wrong shows
in the syntax tree; the rules are those of `ts/model_loader.py` of TorchServe 0.12.
"""

import ast
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
    else:
        problems.extend(_source_problems(source, function))
    sources = {source.name: source} if source.is_file() else {}
    return Handler(source.name + (f":{function}" if function else ""), sources)


def _source_problems(source: Path, function: str) -> list[Problem]:
    try:
        tree = ast.parse(source.read_bytes(), filename=str(source))
    except SyntaxError as error:
        return [
            Problem(
                f"handler {source}, line {error.lineno or 1}: {error.msg}: {(error.text or '').strip()!r}",
                "correct the syntax of the handler",
            )
        ]
    except ValueError as error:
        return [Problem(f"handler {source} is not Python source: {error}", "give a Python file")]
    names = _top_level_names(tree)
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    if names is None or (function or "handle") in names:
        return []
    if function:
        return [Problem(f"handler {source} defines no function {function!r}", "correct the function's name")]
    if len(classes) != 1:
        return [
            Problem(
                f"handler {source} defines {len(classes)} classes ({', '.join(classes) or 'none'}) and no "
                "`handle`; TorchServe accepts a function `handle(data, context)` or exactly one class",
                "add a module-level `handle`, or move the other classes to a file of their own",
            )
        ]
    return []


def _top_level_names(tree: ast.Module) -> set[str] | None:
    """Names bound at the top of a module; None when they can't be known without running it."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if any(alias.name == "*" for alias in node.names):
                return None
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            return None
    return names
