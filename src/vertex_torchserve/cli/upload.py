"""`vertex-torchserve upload`."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve.cli.console import messages, output, print_json, quiet_google_sdk, warn
from vertex_torchserve.cli.serving_options import HealthRoute, Port, PredictRoute, VariableFiles, Variables


def upload(
    mar: Annotated[Path, typer.Argument(metavar="MODEL.mar", help="The archive to register.")],
    bucket: Annotated[str, typer.Option(metavar="gs://BUCKET/PREFIX", help="Folder for archives.")],
    project: Annotated[str, typer.Option(help="Google Cloud project id.")],
    location: Annotated[str, typer.Option(help="Vertex AI region, such as europe-west2.")],
    display_name: Annotated[str, typer.Option(help="Name shown in the Model Registry.")],
    serving_container_image_uri: Annotated[
        str | None, typer.Option(help="Your TorchServe image; Google's newest prebuilt one when not given.")
    ] = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    predict_route: PredictRoute = None,
    health_route: HealthRoute = None,
    port: Port = None,
    model_description: Annotated[str | None, typer.Option(help="Description of the model.")] = None,
    parent_model: Annotated[
        str | None, typer.Option(help="Id or resource name of the model this is a new version of.")
    ] = None,
    is_default_version: Annotated[
        bool, typer.Option("--is-default-version", help="Move the alias `default` to this version.")
    ] = False,
    version_description: Annotated[str | None, typer.Option(help="Description of the version.")] = None,
    version_alias: Annotated[
        list[str] | None, typer.Option(metavar="ALIAS", help="Alias of the version; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what will happen, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Register an archive in the Vertex AI Model Registry.

    Copies it to a folder of its own below --bucket and registers it with the routes of its model name, unless
    others are given. The same archive with the same options is registered once: a repeated call returns the
    version that is there. --env, --env-file, --predict-route, --health-route and --port count with an image
    of your own. --dry-run says which version it will be, which aliases move and how much is sent. With the
    emulator's variables exported it talks to the emulator. Next: `vertex-torchserve deploy NAME`.

    Example:

        vertex-torchserve upload build/model.mar --bucket gs://my-bucket/archives --project my-project
        --location europe-west2 --display-name my-model
    """
    from vertex_torchserve import gcs
    from vertex_torchserve.errors import raise_problems
    from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
    from vertex_torchserve.resource_rules.prebuilt_containers import DEFAULT_IMAGE_URI, is_prebuilt
    from vertex_torchserve.serving.archive.manifest import read_manifest
    from vertex_torchserve.serving_plan import ServingPlan
    from vertex_torchserve.serving_plan.variables_given import variables_given
    from vertex_torchserve.vertex_ai import ModelUpload, intended_version, register_archive
    from vertex_torchserve.vertex_ai.serving_container import ServingContainer

    quiet_google_sdk()
    folder = gcs.GcsPath.parse(bucket)
    model_name = read_manifest(mar).model_name
    image = serving_container_image_uri or DEFAULT_IMAGE_URI
    container = ServingContainer(
        model_name=model_name,
        custom_container=not is_prebuilt(image),
        serving_container_image_uri=image,
        predict_route=predict_route or predict_route_of(model_name),
        health_route=health_route or HEALTH_ROUTE,
        serving_container_ports=() if port is None else (port,),
        serving_environment_vars=variables_given(env or (), env_file or ()),
    )
    raise_problems(container.problems())
    for warning in container.warnings(location, date.today()):
        warn(warning)
    names = ModelUpload(
        project=project,
        location=location,
        display_name=display_name,
        description=model_description,
        parent_model=parent_model,
        is_default_version=is_default_version,
        version_description=version_description,
        version_aliases=tuple(version_alias or ()),
    )
    plan = ServingPlan.of(mar, container.container_spec(date.today()))
    if dry_run:
        intended = intended_version(plan, folder, names)
        if as_json:
            print_json(intended.as_json())
        else:
            output.print(intended.in_words(), markup=False)
        return
    with messages.status(f"registering {display_name}"):
        model = register_archive(plan, folder, names)
    if as_json:
        print_json(
            {
                "model_resource_name": model.resource_name,
                "model_version_id": model.version_id,
                "display_name": model.display_name,
                "artifact_uri": model.artifact_uri,
                "already_registered": model.already_registered,
            }
        )
    else:
        state = "already registered" if model.already_registered else "registered"
        output.print(f"[green]{state}[/green] {model.versioned_resource_name}")
        output.print(f"  {model.display_name}, artifact {model.artifact_uri}")
        model_id = model.versioned_resource_name.rpartition("/")[2]
        output.print(f"  next: vertex-torchserve deploy {model_id} --project {project} --location {location}")
