"""Pages that show what documents link to and what is no document: a file of code, a folder."""

import re
from pathlib import PurePosixPath

from scripts.site.repository import ROOT, documents, links, page_of

# A page of code is read where a document leads to it; the search is for the documents.
_HEAD = "---\nsearch:\n  exclude: true\n---\n\n"
_FENCE = "`" * 8
# Results of benchmarks are shown without colours: some have 100 kB.
_LANGUAGES = {
    ".py": "python",
    ".sh": "sh",
    ".toml": "toml",
    ".yaml": "yaml",
    ".java": "java",
}


def source_pages(known: set[str]) -> dict[str, str]:
    """The Markdown of each page, by its name.

    Args:
        known: The pages and pictures that there are without them.
    """
    linked = {target for document in documents() for target in links(document)}
    missing = sorted(target for target in linked if page_of(target, known) not in known)
    files = {f"{target}.md": _code(target) for target in missing if (ROOT / target).is_file()}
    shown = {*known, *files}
    folders = {f"{each}/index.md": _folder(each, shown) for each in missing if (ROOT / each).is_dir()}
    return {**files, **folders}


def title_of(document: str) -> str:
    """The first heading of a document of the repository."""
    found = re.search(r"^# (.+)$", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else document


def _code(file: str) -> str:
    language = _LANGUAGES.get(PurePosixPath(file).suffix, "text")
    text = (ROOT / file).read_text(encoding="utf-8")
    return f"{_HEAD}# {file}\n\n{_FENCE}{language}\n{text}\n{_FENCE}\n"


def _folder(folder: str, shown: set[str]) -> str:
    rows = []
    for path in sorted((ROOT / folder).iterdir()):
        if path.name.startswith((".", "__pycache__")):
            continue
        page = page_of(f"{folder}/{path.name}", shown)
        name = title_of(page) if page.endswith(f"/{path.name}") and path.suffix == ".md" else f"`{path.name}`"
        rows.append(f"- [{name}]({page.removeprefix(f'{folder}/')})" if page in shown else f"- {name}")
    return f"{_HEAD}# {folder}\n\n" + "\n".join(rows) + "\n"
