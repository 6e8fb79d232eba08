"""The Typer application: its subcommands, and how an error is printed."""

import os
import signal
import sys
from typing import Annotated

import typer

from vertex_torchserve import __version__
from vertex_torchserve.cli.command_table import MARKUP, CommandGroup
from vertex_torchserve.errors import VertexTorchServeError

_DEBUG = "VTS_DEBUG"

app = typer.Typer(
    name="vertex-torchserve",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a trained PyTorch model to a TorchServe archive that is proved to serve and registered in "
    "Vertex AI.\n\n"
    "The usual way: `package` a model folder, `smoke-test` the archive, `upload` it to the Model Registry, "
    "`deploy` it, `predict`, `promote` the next version. "
    "`check` says what is wrong with any archive before anything starts, `conformance` what is wrong with "
    "any serving image. "
    "`emulator` is a local Vertex AI to try it all against; `demo` runs all of it once; `doctor` says what "
    "this machine has of what they need.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vertex-torchserve {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if debug:
        os.environ[_DEBUG] = "1"


def main() -> None:
    """Run the command; an error of this package is printed as one message and sets the exit code."""
    # As an exception it ends processes and removes temporary files on its way out, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app()
    except VertexTorchServeError as error:
        if os.environ.get(_DEBUG) == "1":
            raise
        _print_error(error.message, error.fix)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if os.environ.get(_DEBUG) == "1":
            raise
        _print_error(
            f"this command needs the package {error.name!r}, which is not installed",
            "pip install 'vertex-torchserve[all]'",
        )
        sys.exit(1)
    except OSError as error:
        if os.environ.get(_DEBUG) == "1":
            raise
        _print_error(str(error), "check that the path exists, may be written, and that the disk has space")
        sys.exit(1)


def _print_error(message: str, fix: str) -> None:
    from vertex_torchserve.cli.console import messages

    messages.print("[bold red]error:[/bold red]", end=" ")
    messages.print(message, markup=False)
    if fix:
        messages.print(f"  fix: {fix}", markup=False)
