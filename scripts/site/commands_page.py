"""The page of the commands: what `--help` says of each, by Typer's own writer of documents."""

import typer
from typer.cli import get_docs_for_click

from vertex_torchserve.cli.app import app

_NAME = "vertex-torchserve"
_HEAD = """\
# Commands

What `--help` says of each command. Exit code 2: bad input, nothing was done; 1: failed work.

"""


def page() -> str:
    """The page's Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name=_NAME)
    return _HEAD + get_docs_for_click(obj=command, ctx=context, indent=1, name=_NAME)
