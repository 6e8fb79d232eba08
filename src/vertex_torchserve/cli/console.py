"""Where commands print: results to standard output, everything else to standard error."""

import json
import logging
from typing import Annotated, Any

import typer
from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

output = Console(soft_wrap=True, highlight=False)
messages = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on standard output, and nothing else there."""
    print(json.dumps(content, indent=2))  # noqa: T201 (no colour, no wrapping: a program reads it)


def warn(text: str) -> None:
    """A warning on standard error."""
    messages.print("[yellow]warning:[/yellow]", end=" ")
    messages.print(text, markup=False)


def quiet_google_sdk() -> None:
    """Keep the SDK's progress lines off standard output; call it once the SDK is imported.

    Each of its loggers has a level and a handler of its own, which writes to standard output.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("google.cloud.aiplatform"):
            logging.getLogger(name).setLevel(logging.WARNING)
