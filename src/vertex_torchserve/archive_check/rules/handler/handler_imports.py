"""Whether what the handler imports is there."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error, warning
from vertex_torchserve.archive_check.package_names import could_bring, names_module
from vertex_torchserve.archive_check.reading.python_source import Import
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def handler_imports(subject: Subject) -> Iterator[Finding]:
    """Every module that the handler imports is in the archive, in the image or among the requirements.

    Read are the handler and the modules of the archive that it imports. An import that is caught (`try` ...
    `except ImportError`) or for type checkers only is left out. An import at the top of a module fails when
    the model is loaded: an error. One within a function may never run, and one that a requirement may bring
    along may work: warnings.

    Fix: put a file of your own into the archive (`--extra-file`), and name a package in the requirements.
    """
    if subject.handler is None:
        return
    reported: set[str] = set()
    for member in subject.reached_sources():
        if subject.handler.is_of_this_project(member):
            continue  # its optional libraries are named when they are needed
        for each in subject.python(member).imports():
            finding = None if each.is_guarded or each.level else _finding(subject, member, each)
            if finding is not None and each.module not in reported:
                reported.add(each.module)
                yield finding


def _finding(subject: Subject, member: str, each: Import) -> Finding | None:
    root = each.module.partition(".")[0]
    where = f"{member}:{each.line}"
    if root in subject.modules:
        return _inner_finding(subject, where, each)
    if subject.image.has(root) or any(names_module(name, root) for name in subject.requirements.names):
        return None
    deeper = sorted(name for name in subject.names if name.endswith((f"/{root}.py", f"/{root}/__init__.py")))
    if deeper:
        message = f"imports {root}, which is looked for at the archive's root and lies in {deeper[0]}"
        fix = f"put it at the root, or import it from its package: `from {_dotted(deeper[0])} import ...`"
    else:
        message = f"imports {root}, which is not in the archive, {subject.image.name} or the requirements"
        fix = (
            f"when it is a file of yours, put {root}.py into the archive (`--extra-file`); when it is a "
            "package, name "
            "it in the requirements"
        )
    surely = each.is_certain and not could_bring(subject.requirements, subject.image)
    return error(where, message, fix, depends_on_image=True) if surely else warning(where, message, fix)


def _inner_finding(subject: Subject, where: str, each: Import) -> Finding | None:
    """A module within a package of the archive."""
    root = each.module.partition(".")[0]
    place = next(
        folder for folder in subject.module_folders if subject.modules[root].startswith(f"{folder}{root}")
    )
    path, first = f"{place}{each.module.replace('.', '/')}", f"{place}{root}"
    inside = [name for name in subject.names if name.startswith(f"{first}/")]
    is_there = f"{path}.py" in inside or any(name.startswith(f"{path}/") for name in inside)
    if "." not in each.module or is_there or f"{first}.py" in subject.names:
        return None
    if any(name.startswith(path) and not name.endswith(".py") for name in inside):
        return None  # a compiled module
    return (error if each.is_certain else warning)(
        where,
        f"imports {each.module}, and the archive's {first}/ holds no {path.removeprefix(f'{first}/')}.py",
        f"put {path}.py into the archive",
    )


def _dotted(member: str) -> str:
    return member.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
