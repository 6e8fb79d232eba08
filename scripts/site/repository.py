"""Which of the repository's files the site shows, and under which names.

A page has the name that its document has in the repository, so a link from one document to another leads to
the same place on the site. A file of code that a document links to becomes a page of its own: `errors.py` is
shown by `errors.py.md`.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_DOCUMENTS = (
    "*.md", "docs/**/*.md", "component/*.md", "handlers/*.md", "images/*.md", "examples/**/*.md",
    "benchmarks/results/*.md",
)  # fmt: skip
_PICTURES = ("docs/pictures/*", "benchmarks/results/*.svg")
_FENCE = re.compile(r"^( *)(`{3,}).*?^\1\2`*[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def documents() -> list[str]:
    """The Markdown files that are pages, by their paths in the repository."""
    return _found(_DOCUMENTS)


def pictures() -> list[str]:
    """The pictures of the documents."""
    return _found(_PICTURES)


def _found(patterns: tuple[str, ...]) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for pattern in patterns for path in ROOT.glob(pattern))


def target_of(document: str, link: str) -> str:
    """The path in the repository that a link leads to; empty for one to elsewhere or within the document."""
    path = link.partition("#")[0]
    if not path or "://" in path or path.startswith("mailto:"):
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(document), path))


def links(document: str) -> Iterator[str]:
    """Where the links of a document lead, by paths in the repository."""
    for match in _LINK.finditer(_FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))):
        if target := target_of(document, match[2]):
            yield target


def page_of(target: str, pages: set[str]) -> str:
    """The page that shows a file or folder of the repository; itself, where it is shown as it is."""
    if target in pages:
        return target
    for page in (f"{target}/README.md", f"{target}/index.md", f"{target}.md"):
        if page in pages:
            return page
    return target


def with_site_links(markdown: str, document: str, pages: set[str]) -> str:
    """A document's text, its links leading to the pages that show what they name.

    Args:
        markdown: The text.
        document: Its path in the repository.
        pages: Every page and picture of the site.
    """

    def replaced(match: re.Match[str]) -> str:
        target = target_of(document, match[2])
        if not target:
            return match[0]
        _, hash_mark, anchor = match[2].partition("#")
        page = posixpath.relpath(page_of(target, pages), posixpath.dirname(document) or ".")
        return f"{match[1]}{page}{hash_mark}{anchor}{match[3]}"

    return _outside_fences(markdown, lambda text: _LINK.sub(replaced, text))


def _outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])
