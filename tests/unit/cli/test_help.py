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
from vertex_torchserve.cli.command_table import COMMANDS as TABLE

# A terminal that fills a laptop's screen.
WIDTH, MOST_LINES = 120, 55
_EXAMPLES = re.compile(r"Examples?:\s+(?P<lines>.*)\Z", re.DOTALL)


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command that is no group, with the words that name it."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
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


def test_the_line_of_a_command_is_the_first_of_its_own_help() -> None:
    group = ROOT
    assert isinstance(group, TyperGroup)
    for name, (_, line) in TABLE.items():
        command = group.get_command(typer.Context(group), name)
        assert command is not None
        assert (command.help or "").split("\n\n")[0].replace("\n", " ") == line


def test_a_misspelt_command_is_told_the_right_one() -> None:
    said = CliRunner().invoke(app, ["deplyo"], env={"NO_COLOR": "1", "TERM": "dumb"})
    assert said.exit_code == 2
    assert "Did you mean 'deploy'" in said.output


# What takes `--help` over a third of a second; no command's own module is needed either.
NOT_FOR_HELP = {
    "google.api_core", "google.auth", "httpx", "kfp", "markdown_it", "numpy", "pygments", "rich", "torch",
    "typer.rich_utils", "yaml",
}  # fmt: skip
FOR_HELP = ["vertex_torchserve", "vertex_torchserve.cli", "vertex_torchserve.cli.app",
            "vertex_torchserve.cli.command_table", "vertex_torchserve.errors"]  # fmt: skip


def test_help_loads_nothing_that_only_commands_need() -> None:
    program = (
        "import sys\n"
        "from vertex_torchserve.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True
    )
    assert all(f"  {name} " in run.stdout for name in TABLE)
    loaded = set(run.stderr.split())
    assert sorted(NOT_FOR_HELP & loaded) == []
    assert sorted(name for name in loaded if name.startswith("vertex_torchserve")) == FOR_HELP
