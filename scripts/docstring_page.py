"""A page that is made from docstrings: a section for each group, and in it one for each rule or check."""

import itertools
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class Described(Protocol):
    """A rule or a check.

    Attributes:
        name: Its own.
        group: What it belongs to; those of one group follow each other.
        about: Its docstring: what is asked for, in one paragraph, perhaps more, and `Fix: ...`.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def group(self) -> str: ...  # noqa: D102

    @property
    def about(self) -> str: ...  # noqa: D102


Item = TypeVar("Item", bound=Described)


def page_of(
    head: str,
    items: Iterable[Item],
    title_of: Callable[[str], str],
    extra_of: Callable[[Item], tuple[str, str]] = lambda _: ("", ""),
) -> str:
    """The page's text.

    Args:
        head: What stands above the groups.
        items: What is described, in order.
        title_of: The heading of a group.
        extra_of: What stands behind the first paragraph, and at the end.
    """
    parts = [head]
    for group, members in itertools.groupby(items, key=lambda item: item.group):
        parts.append(f"## {title_of(group)}\n")
        for item in members:
            first, *middle, fix = [" ".join(paragraph.split()) for paragraph in item.about.split("\n\n")]
            behind, last = extra_of(item)
            lines = [f"### {item.name}", f"**{first}**{behind}", *middle, fix.replace("Fix: ", "*Fix:* ", 1)]
            parts.append("\n\n".join([*lines, *([last] if last else [])]) + "\n")
    return "\n".join(parts)
