"""A Python file, read and not run: what it binds at its top, its classes, its imports."""

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import decode_source
from typing import NamedTuple

from vertex_torchserve.serving.archive.bounded_text import shortened

# As long as anybody's handler; the parser takes hundreds of bytes of memory for each.
MOST_SOURCE_BYTES = 2 << 20
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# In the test of an `if`: what is below is for type checkers, for a program, or only where it can be imported.
_GUARDS = {"TYPE_CHECKING", "__name__", "find_spec"}
_CATCHING_IMPORTS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", "OSError"}


class Fault(NamedTuple):
    """Why a file is no Python.

    Attributes:
        line: Counted from 1.
        message: What is wrong.
    """

    line: int
    message: str


class Import(NamedTuple):
    """One module that a file imports.

    Attributes:
        module: Its dotted name; empty for `from . import x`.
        line: Counted from 1.
        level: The dots before it.
        is_certain: Whether it runs whenever the file is imported.
        is_guarded: Whether a failure of it is caught.
    """

    module: str
    line: int
    level: int
    is_certain: bool
    is_guarded: bool


@dataclass(frozen=True)
class PythonSource:
    """A file's syntax tree.

    Attributes:
        member: The file.
        tree: None when it is no Python.
        fault: Why it is no Python; None when it is.
    """

    member: str
    tree: ast.Module | None
    fault: Fault | None

    @classmethod
    def read(cls, member: str, text: bytes) -> "PythonSource":
        """Parse a file's content."""
        if len(text) > MOST_SOURCE_BYTES:
            fault = Fault(1, f"more than {MOST_SOURCE_BYTES:,} bytes, the most that is accepted")
            return cls(member, None, fault)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes such as "\\d", for which Python only warns
                return cls(member, ast.parse(decode_source(text), member), None)
        except SyntaxError as error:
            code = shortened((error.text or "").strip())
            return cls(member, None, Fault(error.lineno or 1, f"{error.msg}{code and f': {code!r}'}"))
        except UnicodeDecodeError as error:
            return cls(member, None, Fault(text[: error.start].count(b"\n") + 1, str(error)))
        except (ValueError, RecursionError, MemoryError) as error:
            return cls(member, None, Fault(1, str(error) or type(error).__name__))

    @property
    def body(self) -> Sequence[ast.stmt]:
        """The statements at its top."""
        return self.tree.body if self.tree else ()

    def classes(self) -> list[ast.ClassDef]:
        """The classes that it defines at its top, also within `if` and `try`; one of a name, the last."""
        found = {node.name: node for node in _flat(self.body) if isinstance(node, ast.ClassDef)}
        return list(found.values())

    def definition(self, name: str) -> ast.stmt | None:
        """The last function or class of that name at its top; None when there is none."""
        kinds = (*_DEFINITIONS, ast.ClassDef)
        found = [node for node in _flat(self.body) if isinstance(node, kinds) and node.name == name]
        return found[-1] if found else None

    def bound_names(self) -> set[str] | None:
        """The names that it binds at its top; None when they can't be known without running it."""
        names: set[str] = set()
        for node in _flat(self.body):
            if isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                if any(alias.name == "*" for alias in node.names):
                    return None
                names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
            else:
                names.update(
                    each.id
                    for each in ast.walk(node)
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )
        return names

    def imports(self) -> Iterator[Import]:
        """All modules that it imports, also within functions."""
        yield from _imports(self.body, is_certain=True, is_guarded=False)


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, those within `if`, `try`, `with` and loops too, but not those of functions and classes."""
    for node in body:
        yield node
        if not isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
            for inner in _bodies(node):
                yield from _flat(inner)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            yield inner
    for each in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield each.body


def _imports(body: Sequence[ast.stmt], *, is_certain: bool, is_guarded: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, 0, is_certain, is_guarded)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", node.lineno, node.level, is_certain, is_guarded)
        elif isinstance(node, ast.Try):
            caught = is_guarded or any(_catches_imports(handler) for handler in node.handlers)
            yield from _imports(node.body, is_certain=is_certain, is_guarded=caught)
            for inner in list(_bodies(node))[1:]:
                yield from _imports(inner, is_certain=False, is_guarded=is_guarded)
        elif isinstance(node, ast.If):
            guarded = is_guarded or _names(node.test, _GUARDS)
            yield from _imports(node.body, is_certain=False, is_guarded=guarded)
            yield from _imports(node.orelse, is_certain=False, is_guarded=is_guarded)
        elif isinstance(node, ast.With):
            guarded = is_guarded or any(_names(item.context_expr, {"suppress"}) for item in node.items)
            yield from _imports(node.body, is_certain=is_certain, is_guarded=guarded)
        else:
            inner_certain = is_certain and isinstance(node, ast.ClassDef)
            for inner in _bodies(node):
                yield from _imports(inner, is_certain=inner_certain, is_guarded=is_guarded)


def _names(expression: ast.expr, wanted: Collection[str]) -> bool:
    """Whether an expression has one of these names in it."""
    return any(
        (each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "")) in wanted
        for each in ast.walk(expression)
    )


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return _names(handler.type, _CATCHING_IMPORTS)
