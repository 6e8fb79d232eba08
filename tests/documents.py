"""The code blocks of a Markdown file."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Within a list a block is indented; it ends with a fence as long as its first.
_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)


def blocks(document: str, language: str) -> list[str]:
    """The blocks of one language, in order.

    Args:
        document: Path relative to the repository.
        language: Such as `bash`; empty for blocks that name none.
    """
    return blocks_of((ROOT / document).read_text(encoding="utf-8"), language)


def blocks_of(text: str, language: str) -> list[str]:
    """The blocks of one language in a Markdown text, in order, without the indentation of their list."""
    return [
        textwrap.dedent(match["code"]) for match in _BLOCK.finditer(text) if match["language"] == language
    ]


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    left_out = {"build", ".venv", ".pytest_cache"}
    return [path for path in ROOT.rglob("*.md") if not left_out & set(path.relative_to(ROOT).parts)]
