"""`vertex-torchserve component`."""

from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve.cli.console import messages
from vertex_torchserve.component_yaml import ComponentName

component = typer.Typer(no_args_is_help=True, help="The KFP components, for pipelines.")


@component.callback()
def _component() -> None:
    """Without a callback Typer would make the only subcommand, `yaml`, the command itself."""


@component.command("yaml")
def write_yaml(
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help="The component's image in a registry of yours.")
    ],
    component: Annotated[ComponentName, typer.Option(help="Which component.")] = ComponentName.UPLOAD,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; standard output when not given.")
    ] = None,
) -> None:
    """Write a component's YAML that names your image; no checkout is needed.

    `vertex-torchserve images build component --tag IMAGE --push` makes the image. Next: load the file with
    `kfp.components.load_component_from_file`. A pipeline that is written where this package is installed
    needs no file: `from vertex_torchserve.kfp import upload_pytorch_model`.

    Example:

        vertex-torchserve component yaml --image europe-west2-docker.pkg.dev/p/components/upload:1
        --output component.yaml
    """
    from vertex_torchserve.component_yaml import component_yaml

    text = component_yaml(component, image)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    messages.print(f"wrote {output}", markup=False)
