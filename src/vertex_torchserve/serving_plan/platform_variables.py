"""The environment of a model's container: what Vertex AI sets in it, and what the model's own spec adds.

Source of names and values: Vertex AI, custom container requirements (Environment variables), and
`EnvVar.value` of the v1 API for `$(NAME)`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"(\$?)\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
# What `Model.deploy` of the SDK asks for when it is told nothing.
DEFAULT_MACHINE_TYPE = "n1-standard-2"


@dataclass(frozen=True)
class Place:
    """Where a container runs, as its variables tell it.

    Attributes:
        project_number: The project's number.
        endpoint_id: The endpoint's id; a batch job gives its own.
        deployed_model_id: The deployed model's id; a batch job gives its own.
        machine_type: Such as `n1-standard-2`; empty where it is not known.
        accelerator_type: Such as `NVIDIA_L4`; empty for none.
    """

    project_number: str = "0"
    endpoint_id: str = "0"
    deployed_model_id: str = "0"
    machine_type: str = DEFAULT_MACHINE_TYPE
    accelerator_type: str = ""


def container_environment(
    own: Mapping[str, str],
    place: Place,
    *,
    port: int,
    predict_route: str,
    health_route: str,
    storage_uri: str,
) -> dict[str, str]:
    """Every variable that a container gets from Vertex AI and from its model, `$(NAME)` expanded.

    Args:
        own: The variables of the model's container spec, in their order: a later one may name earlier ones.
        place: Where it runs.
        port: Where it must listen.
        predict_route: Where predictions are posted.
        health_route: What is asked for 200.
        storage_uri: The folder that holds the archive; empty for a model that has none.
    """
    environment = {
        "AIP_HTTP_PORT": str(port),
        "AIP_HEALTH_ROUTE": health_route,
        "AIP_PREDICT_ROUTE": predict_route,
        "AIP_STORAGE_URI": storage_uri,
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_ENDPOINT_ID": place.endpoint_id,
        "AIP_DEPLOYED_MODEL_ID": place.deployed_model_id,
        "AIP_MODEL_NAME": place.endpoint_id,
        "AIP_VERSION_NAME": place.deployed_model_id,
        "AIP_MACHINE_TYPE": place.machine_type,
        "AIP_PROJECT_NUMBER": place.project_number,
    }
    if place.accelerator_type:
        environment["AIP_ACCELERATOR_TYPE"] = place.accelerator_type
    for name, value in own.items():
        environment[name] = expand(value, environment)
    return environment


def expand(value: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by what stands in `environment`; unknown ones stay, `$$(NAME)` is `$(NAME)`."""

    def replacement(reference: re.Match[str]) -> str:
        escaped, name = reference.groups()
        if escaped:
            return reference[0][1:]
        return environment.get(name, reference[0])

    return _REFERENCE.sub(replacement, value)
