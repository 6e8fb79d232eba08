"""Whether TorchServe finds something to call in the handler."""

import ast
from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.reading.handler_reference import SAGEMAKER_FUNCTIONS
from vertex_torchserve.archive_check.reading.python_source import PythonSource
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# Bases that bring neither `handle` nor `initialize`.
_BARE_BASES = {"object", "ABC", "Protocol", "Generic", "Module", "Enum", "Exception", "BaseException"}
_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TWO_WAYS = (
    "define a function `handle(data, context)`, or one class with `initialize(self, context)` and `handle`"
)


@rule
def handler_entry_point(subject: Subject) -> Iterator[Finding]:
    """The handler has the function that is named, or `handle(data, context)`, or one class that can be used.

    TorchServe takes the function named after the colon, else `handle`; when the module has no such name, it
    takes the one class of the module, which must have `initialize` and `handle`, makes one without
    arguments, and calls `initialize` and `handle`. A class named after the colon is called as a function. Of
    several classes it takes none. A class with `__init__(self, path)` and `__call__` is another server's
    handler.

    Fix: define `handle(data, context)` at the top of the module, or move other classes to a file of their
    own.
    """
    source, handler = subject.handler_source, subject.handler
    if source is None or handler is None:
        return
    wanted = handler.function or "handle"
    definition = source.definition(wanted)
    names = source.bound_names()
    if isinstance(definition, ast.ClassDef):
        yield error(
            f"{source.member}:{definition.lineno}",
            f"handler {source.member} names {wanted!r}, which is a class; what is named is called as a "
            "function with "
            "(data, context)",
            f"name the file alone ({source.member}): TorchServe takes its one class",
        )
    elif names is None or wanted in names:
        return
    elif handler.function:
        yield error(
            source.member,
            f"handler {source.member} defines no function {wanted!r}",
            "correct the function's name",
        )
    else:
        yield from _class_findings(source)


def _class_findings(source: PythonSource) -> Iterator[Finding]:
    classes = source.classes()
    if len(classes) != 1:
        names = ", ".join(each.name for each in classes) or "none"
        fix = "add a module-level `handle`, or move the other classes to a file of their own"
        if any(source.definition(name) for name in SAGEMAKER_FUNCTIONS):
            fix = f"package it with `--handler sagemaker:{source.member}`, as an inference.py of SageMaker"
        yield error(
            source.member,
            f"handler {source.member} defines {len(classes)} classes ({names}) and no `handle`; TorchServe "
            "accepts a "
            "function `handle(data, context)` or exactly one class",
            fix,
        )
        return
    found = classes[0]
    methods = _attributes(found)
    if any(_base_name(base) not in _BARE_BASES for base in found.bases):
        return  # what another module's class brings is not known
    missing = [name for name in ("initialize", "handle") if name not in methods]
    where = f"{source.member}:{found.lineno}"
    if missing and "__call__" in methods:
        yield error(
            where,
            f"handler {source.member}: {found.name} has `__call__` and no {' and no '.join(missing)}: it "
            "is a handler "
            "of another server, such as an EndpointHandler of Hugging Face",
            f"package it with `--handler endpoint:{source.member}` when it is one of Hugging Face, or "
            f"{_TWO_WAYS}",
        )
    elif missing:
        yield error(
            where,
            f"handler {source.member}: {found.name}, its one class, has no {' and no '.join(missing)}",
            _TWO_WAYS,
        )


def _attributes(found: ast.ClassDef) -> set[str]:
    names = {node.name for node in ast.walk(found) if isinstance(node, _METHODS)}
    return names | {
        node.id for node in ast.walk(found) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _base_name(base: ast.expr) -> str:
    if isinstance(base, ast.Subscript):
        base = base.value
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
