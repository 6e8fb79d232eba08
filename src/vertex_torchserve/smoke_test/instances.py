"""Instances for a smoke test, read from a file."""

from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.bounded_text import (
    UnreadableError,
    read_json,
    read_start,
    require_size,
)

MOST_BYTES = 32 << 20
"""Of a file with instances: as many as of a golden request."""


def read_instances(path: Path) -> list[Any]:
    """Read instances from a file: a JSON list, a request with `instances`, or JSONL (one a line).

    Raises:
        InputError: When the file is not there, is none of these, holds no instance, or is beyond a limit of
            serving/archive/bounded_text.py.
    """
    if not path.is_file():
        raise InputError(Problem(f"instances file {str(path)!r} does not exist", "correct the path"))
    try:
        text = read_start(path, MOST_BYTES)
        require_size(text, MOST_BYTES)
        if path.suffix == ".jsonl":
            # Split as bytes: str.splitlines also breaks at U+2028, which may stand inside a JSON string.
            content = [read_json(line, MOST_BYTES) for line in text.splitlines() if line.strip()]
        else:
            content = read_json(text, MOST_BYTES)
    except UnreadableError as error:
        raise InputError(
            Problem(f"{path} {error}", "give a JSON list of instances, or a .jsonl with one a line")
        ) from error
    instances = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(instances, list) or not instances:
        raise InputError(
            Problem(
                f"{path} holds {_shape(content)}; a JSON list of at least one instance is needed",
                'write [...] or {"instances": [...]}, or a .jsonl with one instance a line',
            )
        )
    return instances


def _shape(content: Any) -> str:
    if isinstance(content, dict):
        return f"an object with the keys {sorted(content)[:10]}"
    return f"a list of {len(content)}" if isinstance(content, list) else f"a {type(content).__name__}"
