"""Routes and environment variables that a model's container gets from the platform.

Source of names and defaults: Vertex AI, custom container requirements, and ModelContainerSpec.
"""

import re
from dataclasses import dataclass

from vertex_torchserve.emulator.containers.probes import Probes
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.resource_rules.prebuilt_containers import PREBUILT_MODEL_NAME, is_prebuilt

_REFERENCE = re.compile(r"(\$?)\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_DEFAULT_PORT = 8080
# How long Vertex AI waits when the model doesn't say is not documented.
_READY_SECONDS = 600.0


@dataclass(frozen=True)
class Place:
    """Where a container runs.

    Attributes:
        project_number: The project's number.
        endpoint_id: The endpoint's id; a batch job gives its own.
        deployed_model_id: The deployed model's id; a batch job gives its own.
        machine: The MachineSpec (`machineType`, `acceleratorType`, ...).
    """

    project_number: str
    endpoint_id: str
    deployed_model_id: str
    machine: Json

    @property
    def default_route(self) -> str:
        """The documented health route when the model names none; `:predict` is added for predictions."""
        return f"/v1/endpoints/{self.endpoint_id}/deployedModels/{self.deployed_model_id}"


@dataclass(frozen=True)
class Container:
    """A model's container in one place.

    Attributes:
        predict_route: Where predictions are posted.
        health_route: What is asked for 200.
        environment: Everything the platform and the model set, `$(VAR)` expanded.
        image: Its name.
        command: In place of the image's ENTRYPOINT, `$(VAR)` expanded; empty for the image's own.
        args: In place of the image's CMD, or what follows `command`.
        port: The first of its ports, where it listens.
        probes: What is asked of it.
        shared_memory_mb: The size of its /dev/shm; 0 for the engine's default.
        deployment_seconds: How long it may take to become ready.
    """

    predict_route: str
    health_route: str
    environment: dict[str, str]
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    port: int
    probes: Probes
    shared_memory_mb: int
    deployment_seconds: float

    @classmethod
    def of(cls, spec: Json, storage_uri: str, place: Place) -> "Container":
        """The container of a ModelContainerSpec.

        Args:
            spec: The model's `containerSpec`.
            storage_uri: The gs:// folder of the model's own copy of the artifact, or empty.
            place: Where it runs.
        """
        # A prebuilt PyTorch image serves the archive `model.mar` and knows its routes itself.
        prebuilt = is_prebuilt(spec.get("imageUri", ""))
        predict = predict_route_of(PREBUILT_MODEL_NAME) if prebuilt else f"{place.default_route}:predict"
        health = HEALTH_ROUTE if prebuilt else place.default_route
        predict = spec.get("predictRoute") or predict
        health = spec.get("healthRoute") or health
        port = spec["ports"][0]["containerPort"] if spec.get("ports") else _DEFAULT_PORT
        platform = {
            "AIP_HTTP_PORT": str(port),
            "AIP_HEALTH_ROUTE": health,
            "AIP_PREDICT_ROUTE": predict,
            "AIP_STORAGE_URI": storage_uri,
            "AIP_MODE": "PREDICTION",
            "AIP_MODE_VERSION": "1.0.0",
            "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
            "AIP_ENDPOINT_ID": place.endpoint_id,
            "AIP_DEPLOYED_MODEL_ID": place.deployed_model_id,
            "AIP_MODEL_NAME": place.endpoint_id,
            "AIP_VERSION_NAME": place.deployed_model_id,
            "AIP_MACHINE_TYPE": place.machine.get("machineType", ""),
            "AIP_PROJECT_NUMBER": place.project_number,
        }
        if place.machine.get("acceleratorType"):
            platform["AIP_ACCELERATOR_TYPE"] = place.machine["acceleratorType"]
        environment = dict(platform)
        for variable in spec.get("env", []):
            environment[variable["name"]] = expand(variable.get("value", ""), environment)
        command, args = (
            tuple(expand(word, environment) for word in spec.get(field, [])) for field in ("command", "args")
        )
        return cls(
            predict,
            health,
            environment,
            image=spec["imageUri"],
            command=command,
            args=args,
            port=port,
            probes=Probes.of(spec, health),
            shared_memory_mb=int(spec.get("sharedMemorySizeMb", 0)),
            deployment_seconds=float(spec.get("deploymentTimeout", "").rstrip("s") or _READY_SECONDS),
        )


def expand(value: str, environment: dict[str, str]) -> str:
    """Replace `$(VAR)` by what stands in `environment`; unknown ones stay, `$$(VAR)` is `$(VAR)`."""

    def replacement(reference: re.Match[str]) -> str:
        escaped, name = reference.groups()
        if escaped:
            return reference[0][1:]
        return environment.get(name, reference[0])

    return _REFERENCE.sub(replacement, value)
