"""Versions that are in the registry, looked up by the names that people have for their model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from vertex_torchserve.errors import Problem
from vertex_torchserve.serving_plan import ContainerSpec
from vertex_torchserve.serving_plan.registered_form import container_spec_of
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.model_names import ModelName
from vertex_torchserve.vertex_ai.named_resources import find_model, versions_of
from vertex_torchserve.vertex_ai.place import place_problems, region_problems


@dataclass(frozen=True)
class RegisteredVersion:
    """A version, as the registry has it.

    Attributes:
        model_resource_name: `projects/NUMBER/locations/LOCATION/models/ID`.
        version_id: Such as `4`.
        display_name: Its name.
        aliases: Those that point at it.
        labels: The version's and the model's together, as the API shows them.
        artifact_uri: The gs:// folder it was uploaded from; empty when it has none.
        container: How it is served.
        created: ISO 8601.
        description: Of this version.
        endpoints: Resource names of the endpoints that it is deployed to.
    """

    model_resource_name: str
    version_id: str
    display_name: str
    aliases: tuple[str, ...]
    labels: Mapping[str, str]
    artifact_uri: str
    container: ContainerSpec
    created: str
    description: str
    endpoints: tuple[str, ...]

    @classmethod
    def of(cls, version: Any) -> "RegisteredVersion":
        """From the API's `Model` message, whose name may carry the version."""
        return cls(
            model_resource_name=version.name.partition("@")[0],
            version_id=version.version_id,
            display_name=version.display_name,
            aliases=tuple(version.version_aliases),
            labels=dict(version.labels),
            artifact_uri=version.artifact_uri,
            container=container_spec_of(json_format.MessageToDict(version.container_spec._pb)),
            created=version.version_create_time.isoformat(timespec="seconds"),
            description=version.version_description,
            endpoints=tuple(each.endpoint for each in version.deployed_models),
        )

    def as_json(self) -> dict[str, Any]:
        """For `models --json`."""
        return {
            "model": self.model_resource_name,
            "display_name": self.display_name,
            "version_id": self.version_id,
            "aliases": self.aliases,
            "created": self.created,
            "image": self.container.image,
            "artifact_uri": self.artifact_uri,
            "description": self.description,
            "endpoints": self.endpoints,
        }

    @property
    def resource_name(self) -> str:
        """`projects/NUMBER/locations/LOCATION/models/ID@VERSION`."""
        return f"{self.model_resource_name}@{self.version_id}"


@dataclass(frozen=True)
class ModelPlace:
    """A model as it was given, and where to look for it.

    Attributes:
        model: Resource name, id or display name.
        project: Google Cloud project id or number.
        location: Vertex AI region.
    """

    model: str
    project: str
    location: str


def model_place(model: str, project: str | None, location: str | None) -> tuple[ModelPlace, list[Problem]]:
    """Where a model is to be looked for: a resource name says it, for other names it must be given.

    Args:
        model: Resource name (a version behind its `@` is ignored), id or display name.
        project: Google Cloud project id.
        location: Vertex AI region.

    Returns:
        The place, and what is wrong with it, found without asking anybody.
    """
    name = ModelName.parse(model)
    its_project, its_location = (name.project, name.location) if name else (None, None)
    place = ModelPlace(
        model.partition("@")[0] if its_project else model,
        project or its_project or "",
        location or its_location or "",
    )
    problems = [
        *place_problems(place.project, place.location),
        *region_problems("model", model, its_location, place.location),
    ]
    if name is None and model.startswith("projects/"):
        problems.append(
            Problem(
                f"{model!r} is no model's resource name; projects/PROJECT/locations/LOCATION/models/ID is",
                "copy it from the Model Registry, or give its id or display name",
            )
        )
    return place, problems


def find_versions(place: ModelPlace) -> list[RegisteredVersion]:
    """Every version of a model, the oldest first.

    Args:
        place: The model, and where to look for it.

    Raises:
        InputError: There is no such model, or several of that display name.
        RegistryError: When Vertex AI refuses or fails.
    """
    with explained(f"look for the model {place.model!r}"):
        connect(place.project, place.location)
        return [RegisteredVersion.of(version) for version in versions_of(find_model(place.model))]
