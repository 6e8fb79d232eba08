"""The page of the messages: each error that the toolkit raises, as the code has it, with its fix."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from scripts.site.repository import ROOT

_PACKAGE = ROOT / "src/vertex_torchserve"
# The names of errors.py, and of the parts that have an error of their own.
_FAMILY = {"Problem", "VertexTorchServeError", "ServingError", "RegistryError", "StorageError", "DockerError"}
_HEAD = """\
# Messages

Every error that the commands, the component and the serving process raise, as the code has it: search for
a piece of what you see. `<name>` stands for what is put in, and what to do is said below. What Vertex AI says
is in [Troubleshooting](troubleshooting.md), what `check` finds in [checks](checks.md).
"""


def page() -> str:
    """The page's Markdown: a section for each part of the package."""
    lines = [_HEAD]
    for part in sorted(_PACKAGE.iterdir()):
        if told := dict.fromkeys(each for file in _sources(part) for each in messages_of(file)):
            lines += [f"## {part.stem.replace('_', ' ').capitalize()}", ""]
            lines += [_told(message, fix) for message, fix in told]
            lines.append("")
    return "\n".join(lines)


def messages_of(file: Path) -> Iterator[tuple[str, str]]:
    """Message and fix of each error that a file makes, where they are written there."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FAMILY:
            texts = [_text(argument) for argument in node.args[:2]]
            if texts and texts[0]:
                yield texts[0], texts[1] if len(texts) == 2 else ""


def _sources(part: Path) -> list[Path]:
    return sorted(part.rglob("*.py")) if part.is_dir() else [part] if part.suffix == ".py" else []


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_piece, node.values))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        # The last name of the expression says what is put in: <path>, <name>.
        names = re.findall(r"[a-z][a-z_0-9]*", ast.unparse(node.value).lower())
        return f"<{names[-1] if names else '...'}>"
    return _text(node)


def _told(message: str, fix: str) -> str:
    said = f"- {_code(message)}"
    return f"{said}\n\n    {_code(fix)}\n" if fix else f"{said}\n"


def _code(text: str) -> str:
    text = " ".join(text.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`"
