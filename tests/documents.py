"""The code blocks of a Markdown file."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str) -> list[str]:
    """The blocks of one language, in order.

    Args:
        document: Path relative to the repository.
        language: Such as `bash`.
    """
    text = (ROOT / document).read_text(encoding="utf-8")
    return [match["code"] for match in _BLOCK.finditer(text) if match["language"] == language]


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    left_out = {"build", ".venv", ".pytest_cache"}
    return [path for path in ROOT.rglob("*.md") if not left_out & set(path.relative_to(ROOT).parts)]
