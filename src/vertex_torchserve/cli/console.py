"""How commands speak: results on standard output, everything else on standard error."""

import json
from typing import Any

from rich.console import Console

output = Console(soft_wrap=True, highlight=False)
messages = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on standard output, and nothing else there."""
    print(json.dumps(content, indent=2))  # noqa: T201 (no colour, no wrapping: a program reads it)


def warn(text: str) -> None:
    """A warning on standard error."""
    messages.print("[yellow]warning:[/yellow]", end=" ")
    messages.print(text, markup=False)
