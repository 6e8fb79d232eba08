"""What the Model Registry holds: models, their versions, the aliases of these."""

from dataclasses import dataclass
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve.errors import raise_problems
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.named_resources import find_model, versions_of
from vertex_torchserve.vertex_ai.place import place_problems


@dataclass(frozen=True)
class ListedVersion:
    """A version of a model.

    Attributes:
        model: Resource name, without the version.
        display_name: Of the version.
        version_id: Such as `3`.
        aliases: Of this version.
        created: ISO 8601.
        image: That serves it.
        artifact_uri: The gs:// folder of its archive.
        description: Of this version.
        endpoints: Resource names of the endpoints that it is deployed to.
    """

    model: str
    display_name: str
    version_id: str
    aliases: tuple[str, ...]
    created: str
    image: str
    artifact_uri: str
    description: str
    endpoints: tuple[str, ...]


def listed_models(project: str, location: str) -> list[ListedVersion]:
    """Every model of a region, in its default version, the newest first.

    Raises:
        InputError: When project or location can't be.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems(list(place_problems(project, location)))
    with explained("list models"):
        connect(project, location)
        models = [_listed(model.gca_resource) for model in aiplatform.Model.list()]
    return sorted(models, key=lambda model: model.created, reverse=True)


def listed_versions(project: str, location: str, model: str) -> list[ListedVersion]:
    """Every version of a model, from the oldest on.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        model: Resource name, id or display name.

    Raises:
        InputError: When there is no such model.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems(list(place_problems(project, location)))
    with explained(f"list the versions of {model}"):
        connect(project, location)
        return [_listed(version) for version in versions_of(find_model(model))]


def _listed(version: Any) -> ListedVersion:
    """From the API's `Model` message, whose name may carry a version."""
    return ListedVersion(
        model=version.name.partition("@")[0],
        display_name=version.display_name,
        version_id=version.version_id,
        aliases=tuple(version.version_aliases),
        created=version.version_create_time.isoformat(timespec="seconds"),
        image=version.container_spec.image_uri if version.container_spec else "",
        artifact_uri=version.artifact_uri,
        description=version.version_description,
        endpoints=tuple(each.endpoint for each in version.deployed_models),
    )
