"""`vertex-torchserve models`: what the Model Registry holds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from vertex_torchserve.cli.console import AsJson, output, print_json, quiet_google_sdk
from vertex_torchserve.cli.vertex_options import Location, Project

if TYPE_CHECKING:
    from vertex_torchserve.vertex_ai import RegisteredVersion

models = typer.Typer(
    no_args_is_help=True, help="What the Model Registry holds: models, their versions, the aliases of these."
)
Model = Annotated[str, typer.Argument(metavar="MODEL", help="Display name, id or resource name.")]


@models.command("list")
def list_models(project: Project, location: Location, as_json: AsJson = False) -> None:
    """List the models of a region, each in its default version, the newest first.

    Next: `vertex-torchserve models versions MODEL`, or `vertex-torchserve deploy MODEL`.

    Example:

        vertex-torchserve models list --project my-project --location europe-west2
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    found = vertex_ai.listed_models(project, location)
    _print(found, as_json=as_json)


@models.command()
def versions(model: Model, project: Project, location: Location, as_json: AsJson = False) -> None:
    """List the versions of a model, from the oldest on.

    Next: `vertex-torchserve deploy MODEL@VERSION`.

    Example:

        vertex-torchserve models versions bert --project my-project --location europe-west2
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    _print(vertex_ai.listed_versions(project, location, model), as_json=as_json)


@models.command()
def aliases(model: Model, project: Project, location: Location, as_json: AsJson = False) -> None:
    """List the aliases of a model, and the version that each names.

    Next: `vertex-torchserve deploy MODEL@ALIAS`.

    Example:

        vertex-torchserve models aliases bert --project my-project --location europe-west2
    """
    from vertex_torchserve import vertex_ai

    quiet_google_sdk()
    found = vertex_ai.listed_versions(project, location, model)
    named = {alias: version.version_id for version in found for alias in version.aliases}
    if as_json:
        print_json({"aliases": named})
        return
    table = Table("alias", "version")
    for alias, version in sorted(named.items()):
        table.add_row(alias, version)
    output.print(table)


def _print(found: "Sequence[RegisteredVersion]", *, as_json: bool) -> None:
    if as_json:
        print_json({"models": [each.as_json() for each in found]})
        return
    table = Table("name", "id@version", "aliases", "made", "on endpoints", "image")
    for each in found:
        table.add_row(
            escape(each.display_name),
            f"{each.model_resource_name.rpartition('/')[2]}@{each.version_id}",
            ", ".join(each.aliases),
            each.created,
            ", ".join(name.rpartition("/")[2] for name in each.endpoints),
            escape(each.container.image),
        )
    output.print(table)
