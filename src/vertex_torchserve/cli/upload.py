"""`vertex-torchserve upload`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve.cli.compared_answers import print_compared
from vertex_torchserve.cli.console import AsJson, messages, output, print_json, quiet_google_sdk, warn
from vertex_torchserve.cli.registered_container import registered_container
from vertex_torchserve.cli.serving_options import (
    ContainerSpecForm,
    HealthRoute,
    Port,
    PredictRoute,
    VariableFiles,
    Variables,
)
from vertex_torchserve.cli.vertex_options import Location, Project, ServiceAccount
from vertex_torchserve.errors import Problem, raise_problems

_VERSION = "The version"


def upload(
    mar: Annotated[
        str, typer.Argument(metavar="MODEL.mar", help="The archive to register; a gs:// path is one, too.")
    ],
    bucket: Annotated[str, typer.Option(metavar="GS_FOLDER", help="gs:// folder for archives.")],
    project: Project,
    location: Location,
    display_name: Annotated[str, typer.Option(help="Name shown in the Model Registry.")],
    serving_container_image_uri: Annotated[
        str | None, typer.Option(help="Your TorchServe image; else Google's newest prebuilt one.")
    ] = None,
    env: Variables = None,
    env_file: VariableFiles = None,
    predict_route: PredictRoute = None,
    health_route: HealthRoute = None,
    port: Port = None,
    container_spec: ContainerSpecForm = None,
    model_description: Annotated[
        str | None, typer.Option(help="Description of the model.", rich_help_panel=_VERSION)
    ] = None,
    model_id: Annotated[
        str | None, typer.Option(help="Id of a new model; else a number.", rich_help_panel=_VERSION)
    ] = None,
    parent_model: Annotated[
        str | None, typer.Option(help="Model that it is a new version of.", rich_help_panel=_VERSION)
    ] = None,
    is_default_version: Annotated[
        bool,
        typer.Option(
            "--is-default-version", help="Move the alias `default` to it.", rich_help_panel=_VERSION
        ),
    ] = False,
    version_description: Annotated[
        str | None, typer.Option(help="Description of the version.", rich_help_panel=_VERSION)
    ] = None,
    version_alias: Annotated[
        list[str] | None,
        typer.Option(metavar="ALIAS", help="Its alias; may be repeated.", rich_help_panel=_VERSION),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Its label; may be repeated.", rich_help_panel=_VERSION),
    ] = None,
    service_account: ServiceAccount = None,
    encryption_spec_key_name: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="projects/.../cryptoKeys/KEY of Cloud KMS.", rich_help_panel=_VERSION
        ),
    ] = None,
    explanation_spec: Annotated[
        str | None,
        typer.Option(metavar="JSON|FILE", help="The API's ExplanationSpec.", rich_help_panel=_VERSION),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what will happen, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register an archive in the Vertex AI Model Registry.

    Copies it to a folder of its own below --bucket. The same archive with the same options is registered
    once. --env, routes and --port are for an image of your own. The answers to golden requests are compared
    with those of the version that it replaces.
    Next: `vertex-torchserve deploy NAME`.

    Example:

        vertex-torchserve upload build/model.mar --bucket gs://my-bucket/archives --project my-project
        --location europe-west2 --display-name my-model
    """
    from vertex_torchserve import gcs
    from vertex_torchserve.gcs.local_copy import LocalCopies, told_by_origin
    from vertex_torchserve.release.replaced import compared_with_replaced
    from vertex_torchserve.serving_plan import ServingPlan
    from vertex_torchserve.serving_plan.container_given import json_given
    from vertex_torchserve.vertex_ai import ModelUpload, intended_version, register_archive

    quiet_google_sdk()
    folder = gcs.GcsPath.parse(bucket)
    names = ModelUpload(
        project=project,
        location=location,
        display_name=display_name,
        description=model_description,
        parent_model=parent_model,
        is_default_version=is_default_version,
        version_description=version_description,
        version_aliases=tuple(version_alias or ()),
        labels=_labels(label or ()),
        model_id=model_id,
        service_account=service_account,
        encryption_spec_key_name=encryption_spec_key_name,
        explanation_spec=json_given("--explanation-spec", explanation_spec) if explanation_spec else {},
    )
    with tempfile.TemporaryDirectory(prefix="vts-") as staging:
        copies = LocalCopies(Path(staging))
        archive = copies.of(mar)
        with told_by_origin(copies.origins):
            container = registered_container(
                archive, location, serving_container_image_uri, env, env_file,
                predict_route=predict_route,
                health_route=health_route,
                port=port,
                container_spec=container_spec,
            )  # fmt: skip
            plan = ServingPlan.of(archive, container)
        intended = intended_version(plan, folder, names)
        with messages.status("comparing the answers with those of the version that it replaces"):
            comparison = compared_with_replaced(plan, names, intended)
        replaces = {"replaces": comparison.as_json() if comparison else None}
        if comparison and not as_json:
            version = f"version {comparison.version.version_id}"
            if comparison.not_compared:
                warn(f"its answers are not compared with those of {version}: {comparison.not_compared}")
            else:
                print_compared(comparison.compared, (version, plan.mar_path.name))
        if dry_run:
            if as_json:
                print_json({**intended.as_json(), **replaces})
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
                **replaces,
            }
        )
    else:
        state = "already registered" if model.already_registered else "registered"
        output.print(f"[green]{state}[/green] {model.versioned_resource_name}")
        output.print(f"  {model.display_name}, artifact {model.artifact_uri}")
        model_id = model.versioned_resource_name.rpartition("/")[2]
        output.print(f"  next: vertex-torchserve deploy {model_id} --project {project} --location {location}")


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    raise_problems(
        [
            Problem(f"--label {pair!r} is not KEY=VALUE", "write the label as KEY=VALUE")
            for pair in pairs
            if "=" not in pair
        ]
    )
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
