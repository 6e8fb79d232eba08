"""Routes and environment variables that a model's container gets from the platform.

Source of the defaults: Vertex AI, custom container requirements, and ModelContainerSpec.
"""

from dataclasses import dataclass

from vertex_torchserve.emulator.containers.probes import Probes
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.resource_rules.prebuilt_containers import PREBUILT_MODEL_NAME, is_prebuilt
from vertex_torchserve.serving_plan import container_spec_of, platform_variables

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

    def as_variables_tell_it(self) -> platform_variables.Place:
        """The place in the terms of the container's variables."""
        return platform_variables.Place(
            project_number=self.project_number,
            endpoint_id=self.endpoint_id,
            deployed_model_id=self.deployed_model_id,
            machine_type=self.machine.get("machineType", ""),
            accelerator_type=self.machine.get("acceleratorType", ""),
        )


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
        described = container_spec_of(spec)
        # A prebuilt PyTorch image serves the archive `model.mar` and knows its routes itself.
        prebuilt = is_prebuilt(described.image)
        predict = predict_route_of(PREBUILT_MODEL_NAME) if prebuilt else f"{place.default_route}:predict"
        predict = described.predict_route or predict
        health = described.health_route or (HEALTH_ROUTE if prebuilt else place.default_route)
        environment = platform_variables.container_environment(
            described.environment,
            place.as_variables_tell_it(),
            port=described.port,
            predict_route=predict,
            health_route=health,
            storage_uri=storage_uri,
        )
        command, args = (
            tuple(platform_variables.expand(word, environment) for word in words)
            for words in (described.command, described.args)
        )
        return cls(
            predict,
            health,
            environment,
            image=described.image,
            command=command,
            args=args,
            port=described.port,
            probes=Probes.of(spec, health),
            shared_memory_mb=described.shared_memory_size_mb or 0,
            deployment_seconds=float(described.deployment_timeout or _READY_SECONDS),
        )
