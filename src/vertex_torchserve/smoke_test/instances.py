"""Instances for a smoke test, read from a file."""

import json
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem


def read_instances(path: Path) -> list[Any]:
    """Read instances from a file: a JSON list, a request with `instances`, or JSONL (one a line).

    Raises:
        InputError: When the file is not there, is none of these, or holds no instance.
    """
    if not path.is_file():
        raise InputError(Problem(f"instances file {str(path)!r} does not exist", "correct the path"))
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            content = json.loads(text)
    except ValueError as error:
        raise InputError(
            Problem(
                f"{path} is not JSON: {error}", "give a JSON list of instances, or a .jsonl with one a line"
            )
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
