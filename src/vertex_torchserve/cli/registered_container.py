"""The container that `upload` registers a model with, from its options."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from vertex_torchserve.cli.console import warn

if TYPE_CHECKING:
    from vertex_torchserve.serving_plan import ContainerSpec


def registered_container(
    mar: Path,
    location: str,
    image: str | None,
    env: Sequence[str] | None,
    env_file: Sequence[Path] | None,
    *,
    predict_route: str | None,
    health_route: str | None,
    port: int | None,
    container_spec: str | None,
) -> "ContainerSpec":
    """How the archive is registered to be served; an option of its own comes before `container_spec`.

    Raises:
        InputError: The archive can't be read, or an option can't be used.
    """
    from vertex_torchserve.errors import raise_problems
    from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
    from vertex_torchserve.resource_rules.prebuilt_containers import DEFAULT_IMAGE_URI, is_prebuilt
    from vertex_torchserve.serving.archive.manifest import read_manifest
    from vertex_torchserve.serving_plan.container_given import container_given
    from vertex_torchserve.serving_plan.variables_given import variables_given
    from vertex_torchserve.vertex_ai.serving_container import ServingContainer

    given = container_given(container_spec)
    given = replace(given, predict_route=predict_route or given.predict_route)
    model_name = read_manifest(mar).model_name
    uri = image or given.image or DEFAULT_IMAGE_URI
    container = ServingContainer(
        model_name=model_name,
        custom_container=not is_prebuilt(uri),
        serving_container_image_uri=uri,
        predict_route=given.predict_route or predict_route_of(model_name),
        health_route=health_route or given.health_route or HEALTH_ROUTE,
        serving_container_ports=given.ports if port is None else (port,),
        serving_environment_vars={**given.environment, **variables_given(env or (), env_file or ())},
    )
    raise_problems(container.problems())
    today = date.today()
    for warning in container.warnings(location, today):
        warn(warning)
    return container.container_spec(today).with_platform_fields(given)
