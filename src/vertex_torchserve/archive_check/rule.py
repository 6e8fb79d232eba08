"""A rule: a function that looks at an archive, and whose docstring is its documentation."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from vertex_torchserve.archive_check.finding import Finding
from vertex_torchserve.archive_check.subject import Subject


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: The function's, with dashes.
        group: What it is about: the name of the folder it lies in.
        about: The function's docstring. Its first line says what must be true.
        find: The function.
    """

    name: str
    group: str
    about: str
    find: Callable[[Subject], Iterable[Finding]]

    def check(self, subject: Subject) -> Iterator[Finding]:
        """What the rule finds."""
        for finding in self.find(subject):
            where, message = _printable(finding.where), _printable(finding.message)
            yield replace(finding, rule=self.name, where=where, message=message)


def _printable(text: str) -> str:
    """The text with what a terminal would obey, or can't show, written out: names may hold anything."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape", "replace").decode()
        for each in text
    )


def rule(find: Callable[[Subject], Iterable[Finding]]) -> Rule:
    """Make a rule of a function; it is named as the function is."""
    group = find.__module__.split(".")[-2]
    return Rule(find.__name__.replace("_", "-"), group, inspect.cleandoc(find.__doc__ or ""), find)
