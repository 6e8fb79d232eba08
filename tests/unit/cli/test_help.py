"""Every command's help: it fits a screen, its examples are taken as they are, it names what is next."""

import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from vertex_torchserve.cli.app import app

# A terminal that fills a laptop's screen.
WIDTH, MOST_LINES = 120, 55
_EXAMPLES = re.compile(r"Examples?:\s+(?P<lines>.*)\Z", re.DOTALL)


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command that is no group, with the words that name it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


ROOT = typer.main.get_command(app)
assert isinstance(ROOT, TyperGroup)
COMMANDS = dict(commands(ROOT))


def examples(command: TyperCommand) -> list[list[str]]:
    """The words of each example; a blank line is between two."""
    found = _EXAMPLES.search(inspect.getdoc(command.callback) or "")
    return [shlex.split(each) for each in found["lines"].split("\n\n")] if found else []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help(path: tuple[str, ...]) -> None:
    environment = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    said = CliRunner().invoke(app, [*path, "--help"], env=environment).stdout
    assert len(said.splitlines()) <= MOST_LINES
    command = COMMANDS[path]
    assert re.search(r"Next:\s", inspect.getdoc(command.callback) or "") or path in {("emulator",), ("demo",)}
    lines = examples(command)
    assert lines
    for program, *words in lines:
        assert program == "vertex-torchserve"
        assert tuple(words[: len(path)]) == path
        # What is given is all that is needed, once project and region are exported.
        arguments = words[len(path) :]
        place = ["--project", "p", "--location", "l"]
        takes_place = "project" in {parameter.name for parameter in command.params}
        command.make_context(path[-1], [*arguments, *(place if takes_place else [])])


def test_help_loads_nothing_that_only_commands_need() -> None:
    program = (
        "import sys, vertex_torchserve.cli.app\n"
        "heavy = {'google.api_core', 'httpx', 'kfp', 'numpy', 'rich.progress', 'torch', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
