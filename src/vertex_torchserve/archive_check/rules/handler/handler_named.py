"""Whether TorchServe finds the handler by its name."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def handler_named(subject: Subject) -> Iterator[Finding]:
    """The handler's name is one that Python can import, and the file lies at the archive's root.

    TorchServe takes the last part of the path without `.py` and imports it as a module. `handler.v2.py` is
    the module `v2` of a package `handler`, and `code/handler.py` is looked for at the root: neither is
    found, and the worker dies.

    Fix: call the file `handler_v2.py`, put it at the root, and package the model again.
    """
    handler = subject.handler
    if handler is None or handler.is_built_in:
        return
    if "." in handler.module:
        yield error(
            f"{handler.module}.py",
            f"the handler {handler.named!r} can't be imported: Python takes the dot in {handler.module!r} "
            "for a "
            "package",
            f"rename it to {handler.module.replace('.', '_')}.py",
        )
    elif handler.member is None:
        deeper = sorted(name for name in subject.names if name.endswith(f"/{handler.module}.py"))
        if deeper:
            yield error(
                deeper[0],
                f"the handler {handler.named!r} is looked for as {handler.module}.py at the archive's "
                "root, and "
                f"lies in {deeper[0]}",
                "put it at the root of the archive",
            )
        elif not handler.named.partition(":")[0].endswith(".py"):
            yield error(
                "MAR-INF/MANIFEST.json",
                f"the handler {handler.named!r} is neither a file of the archive nor one of TorchServe's own",
                "name a .py file of the archive, or correct the name",
            )
