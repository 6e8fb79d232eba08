"""Handlers that are written for a server without an envelope."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, warning
from vertex_torchserve.archive_check.reading.python_source import PythonSource
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

_OWN = "ts.torch_handler."
_TAKES_INSTANCES = f"{_OWN}base_handler"


@rule
def handler_reads_rows(subject: Subject) -> Iterator[Finding]:
    """A handler that asks TorchServe's rows for their `body` is asked in the form that it reads.

    Stock TorchServe gives a handler a row for each request, `{"body": ...}`. Here it gets the instances of
    `{"instances": [...]}` themselves, and `row.get("body")` of a text or a list is an error at each request.
    An instance that is an object with `body` or `data` is read as a row is. TorchServe's own handlers, and
    what derives from them, get rows.

    Fix: send instances such as `{"body": ...}`, or set `envelope: none` in model-config.yaml, with which the
    handler gets what stock TorchServe gives it.
    """
    source, handler = subject.handler_source, subject.handler
    if source is None or handler is None or handler.is_reference or subject.config.get("envelope") == "none":
        return
    if any(each.module.startswith(_OWN) and each.module != _TAKES_INSTANCES for each in source.imports()):
        return
    line = _reads_body(source)
    if line is not None:
        yield warning(
            f"{source.member}:{line}",
            'reads the `body` of TorchServe\'s rows, and gets the instances of `{"instances": [...]}` '
            "themselves",
            'send instances that are objects, `{"body": ...}`, or set `envelope: none` in model-config.yaml',
        )


def _reads_body(source: PythonSource) -> int | None:
    """The first line that asks something for its `body`; None also when the source looks what it has got."""
    lines = []
    for node in ast.walk(source.tree) if source.tree else ():
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, kind]) if "dict" in ast.unparse(kind):
                return None
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="body"), *_]):
                lines.append(node.lineno)
            case ast.Subscript(slice=ast.Constant(value="body"), ctx=ast.Load()):
                lines.append(node.lineno)
    return min(lines, default=None)
