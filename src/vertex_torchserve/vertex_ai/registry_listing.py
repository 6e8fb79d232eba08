"""What the Model Registry holds: models, and the versions of one."""

from google.cloud import aiplatform

from vertex_torchserve.errors import raise_problems
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.model_names import model_region_problems
from vertex_torchserve.vertex_ai.place import place_problems
from vertex_torchserve.vertex_ai.registered_version import ModelPlace, RegisteredVersion, find_versions


def listed_models(project: str, location: str) -> list[RegisteredVersion]:
    """Every model of a region, in its default version, the newest first.

    Raises:
        InputError: When project or location can't be.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems(list(place_problems(project, location)))
    with explained("list models"):
        connect(project, location)
        models = [RegisteredVersion.of(model.gca_resource) for model in aiplatform.Model.list()]
    return sorted(models, key=lambda model: model.created, reverse=True)


def listed_versions(project: str, location: str, model: str) -> list[RegisteredVersion]:
    """Every version of a model, from the oldest on.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        model: Resource name, id or display name.

    Raises:
        InputError: When project or location can't be, or there is no such model.
        RegistryError: When Vertex AI refuses or fails.
    """
    raise_problems([*place_problems(project, location), *model_region_problems(model, location)])
    return find_versions(ModelPlace(model, project, location))
