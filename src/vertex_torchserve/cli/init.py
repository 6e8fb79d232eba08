"""`vertex-torchserve init`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve.cli.console import output, print_json


class House(StrEnum):
    """How the model of a project is served."""

    REFERENCE = "reference"
    HANDLER = "handler"
    TORCHSCRIPT = "torchscript"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder; its name is the model's.")],
    house: Annotated[
        House,
        typer.Option(
            help="Served by the reference Hugging Face handler, by a handler of your own, or as TorchScript."
        ),
    ] = House.REFERENCE,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With `reference`: text-classification (if not given), feature-extraction, text-generation "
            "or image-classification.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Make a model project that works at once.

    Writes a tiny model's program, the handler, model-config.yaml, requirements.txt, instances, a Makefile,
    the KFP pipeline and a CI file; its README.md says how to go on. Your own model goes in the tiny one's
    place.
    Next: `cd FOLDER && make golden prove`.

    Examples:

        vertex-torchserve init my-classifier

        vertex-torchserve init my-scorer --house handler
    """
    from vertex_torchserve.model_project import create_project

    files = create_project(folder, house.value, task)
    if as_json:
        print_json({"folder": str(folder), "files": [str(file) for file in files]})
        return
    output.print(f"[green]made[/green] {folder}")
    for file in files:
        output.print(f"  {file.relative_to(folder)}", markup=False)
    output.print(f"  next: cd {folder} && make golden prove", markup=False)
