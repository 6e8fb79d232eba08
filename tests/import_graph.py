"""What the modules of a package import, read from their source."""

import ast
from collections.abc import Collection, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path


def modules_of(package: Path) -> dict[Path, str]:
    """The files of a package, each with its module's full name."""
    return {file: full_name(file, package.parent) for file in sorted(package.rglob("*.py"))}


def full_name(module: Path, root: Path) -> str:
    """The name a file is imported by, where `root` is on the path; of `__init__.py` the package's."""
    parts = module.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(module: Path, own: Collection[str], for_types: bool = True) -> set[str]:
    """What a file imports, by full names, in functions too; of a package's module the module's name.

    Args:
        module: The file.
        own: The names of the package's modules.
        for_types: Whether imports below `if TYPE_CHECKING:` count, which never run.
    """
    names: set[str] = set()
    for node in _nodes(ast.parse(module.read_text()), for_types):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full in own else node.module)
    return names


def _nodes(node: ast.AST, for_types: bool) -> Iterator[ast.AST]:
    yield node
    if not for_types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, for_types)


def assert_no_circle(modules: Mapping[Path, str], for_types: bool = True) -> None:
    """Fail with a CycleError that names the modules which import each other."""
    names = set(modules.values())
    graph = {}
    for module, own in modules.items():
        direct = imported_names(module, names, for_types) & names
        with_packages = direct | {package for name in direct for package in _packages_of(name)}
        graph[own] = with_packages - {own, *_packages_of(own)}
    TopologicalSorter(graph).prepare()


def _packages_of(name: str) -> Iterator[str]:
    """The packages that are imported before a module of theirs."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
