"""`async def handle` and `asyncCommunication`, which need each other."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def async_handler(subject: Subject) -> Iterator[Finding]:
    """`async def handle` goes with `asyncCommunication: true` in model-config.yaml, and each needs the other.

    TorchServe awaits the handler only with that setting; without it the answer is a coroutine, an error at
    every request. With it, a plain function's answer is awaited, which fails too.

    Fix: set `asyncCommunication: true` for a handler that is async, and remove it for one that is not.
    """
    source, handler = subject.handler_source, subject.handler
    if source is None or handler is None:
        return
    definition = source.definition(handler.function or "handle")
    if definition is None and len(source.classes()) == 1 and handler.function is None:
        methods = [node for node in source.classes()[0].body if getattr(node, "name", None) == "handle"]
        definition = methods[-1] if methods else None
    wanted = subject.config.get("asyncCommunication") is True
    where = f"{source.member}:{definition.lineno}" if definition else source.member
    if isinstance(definition, ast.AsyncFunctionDef) and not wanted:
        yield error(
            where,
            f"`async def {definition.name}` without `asyncCommunication: true` in model-config.yaml: it is "
            "called and "
            "never awaited",
            "set `asyncCommunication: true` in model-config.yaml, or make it a plain function",
        )
    elif isinstance(definition, ast.FunctionDef) and wanted:
        yield warning(
            where,
            f"`asyncCommunication: true`, and `def {definition.name}` is not async: what it answers is "
            "awaited",
            "make it `async def`, or remove asyncCommunication from model-config.yaml",
        )
