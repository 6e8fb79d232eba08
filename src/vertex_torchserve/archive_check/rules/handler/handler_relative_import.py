"""Relative imports in the handler."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject


@rule
def handler_relative_import(subject: Subject) -> Iterator[Finding]:
    """The handler imports the modules beside it by their names, without a dot.

    TorchServe imports the handler as a module of its own, not as part of a package, so `from .model import
    Net` fails with "attempted relative import with no known parent package".

    Fix: write `from model import Net`.
    """
    for source in subject.lone_modules:
        folder = source.member.rpartition("/")[0] or "the archive's root"
        for each in source.imports():
            if each.level and not each.is_guarded:
                dots = "." * each.level
                yield error(
                    f"{source.member}:{each.line}",
                    f"`from {dots}{each.module} import ...`: the handler is no part of a package, so "
                    "relative imports fail",
                    f"write `from {each.module or 'MODULE'} import ...`, and put that module into {folder}",
                )
