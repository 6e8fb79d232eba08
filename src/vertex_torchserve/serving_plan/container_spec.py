"""The container of a model version, in the terms of Vertex AI's `ModelContainerSpec`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, is_route, predict_route_of
from vertex_torchserve.serving_plan.probe import Probe

# Vertex AI's own, where a model names no port.
DEFAULT_PORT = 8080
# ModelContainerSpec.deployment_timeout and .invoke_route_prefix in google/cloud/aiplatform_v1/types/model.py.
_LONGEST_DEPLOYMENT_SECONDS = 2 * 3600
_INVOKE_ROUTE_PREFIX = "/*"
_PLATFORM_FIELDS = (
    "command",
    "args",
    "startup_probe",
    "health_probe",
    "liveness_probe",
    "invoke_route_prefix",
    "grpc_ports",
    "deployment_timeout",
    "shared_memory_size_mb",
)


@dataclass(frozen=True)
class ContainerSpec:
    """How a model version is served: the fields of the registry, under short names.

    Values may come from KFP, which delivers whole numbers as floats: a port of 8080.0 becomes 8080, a
    variable or an argument of 3.0 becomes `3`, True becomes `true`. What can't be converted stays, and
    `problems` names it.

    Attributes:
        image: URI of the image; empty where none is known.
        predict_route: Where predictions are posted; None leaves it to the image.
        health_route: What is asked for 200; None leaves it to the image.
        ports: The first is used; empty: 8080.
        environment: Name -> value. `$(NAME)` stands for another variable.
        command: Replaces the image's ENTRYPOINT when not empty.
        args: Replaces the image's CMD when not empty.
        startup_probe: Must succeed once before the container's health is asked for; None for no such probe.
        health_probe: Run instead of asking the health route; None to ask the health route.
        liveness_probe: When it fails, the container is started again; None for a TCP connection.
        invoke_route_prefix: `/*` opens every route of the container, in place of `predict_route`; it can only
            be deployed to a dedicated endpoint then.
        grpc_ports: The first gets gRPC predictions; empty: there are none.
        deployment_timeout: Seconds that a deployment may take, up to two hours; None leaves it to Vertex AI.
        shared_memory_size_mb: Of /dev/shm, in MiB; None leaves it to Vertex AI.
    """

    image: str = ""
    predict_route: str | None = None
    health_route: str | None = None
    ports: Sequence[Any] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    command: Sequence[Any] = ()
    args: Sequence[Any] = ()
    startup_probe: Probe | None = None
    health_probe: Probe | None = None
    liveness_probe: Probe | None = None
    invoke_route_prefix: str | None = None
    grpc_ports: Sequence[Any] = ()
    deployment_timeout: Any = None
    shared_memory_size_mb: Any = None

    def __post_init__(self) -> None:
        """Convert what KFP delivered."""
        converted = {
            "ports": tuple(_whole(port) for port in self.ports),
            "grpc_ports": tuple(_whole(port) for port in self.grpc_ports),
            "deployment_timeout": _whole(self.deployment_timeout) or None,
            "shared_memory_size_mb": _whole(self.shared_memory_size_mb) or None,
            "environment": {name: as_text(value) for name, value in self.environment.items()},
            "command": tuple(as_text(part) for part in self.command),
            "args": tuple(as_text(part) for part in self.args),
        }
        for name, value in converted.items():
            object.__setattr__(self, name, value)

    @property
    def port(self) -> int:
        """Where the container is told to listen."""
        return int(self.ports[0]) if self.ports else DEFAULT_PORT

    def with_platform_fields(self, given: "ContainerSpec") -> "ContainerSpec":
        """This spec with what another one gives of probes, limits, command and other ways in.

        Args:
            given: Such fields of it replace this one's where they are given. An `invoke_route_prefix` takes
                the place of the predict route.
        """
        replaced = {name: getattr(given, name) for name in _PLATFORM_FIELDS if getattr(given, name)}
        if given.invoke_route_prefix:
            replaced["predict_route"] = given.predict_route
        return replace(self, **replaced)

    def problems(self) -> Iterator[Problem]:
        """What Vertex AI, or a container engine, would refuse."""
        for port in (*self.ports, *self.grpc_ports):
            if type(port) is not int or not 0 < port < 65536:
                yield Problem(
                    f"serving container port {port!r} is not a port; whole numbers from 1 to 65535 are "
                    "accepted",
                    "give a number such as 8080",
                )
        routes = (
            ("predict_route", self.predict_route, predict_route_of("model")),
            ("health_route", self.health_route, HEALTH_ROUTE),
        )
        for name, route, usual in routes:
            if route and not is_route(route):
                yield Problem(
                    f"{name} {route!r} is not a path; printable ASCII from `/` on, without ? and #, is",
                    f"use a path such as {usual!r}",
                )
        if self.predict_route and self.predict_route in (self.health_route, HEALTH_ROUTE):
            yield Problem(
                f"predict_route {self.predict_route!r} is the route of health checks, too",
                f"use a path such as {predict_route_of('model')!r}",
            )
        for name, parts in (("command", self.command), ("args", self.args)):
            for part in parts:
                if not isinstance(part, str):
                    yield Problem(
                        f"serving container {name} holds {part!r}; strings and numbers are accepted",
                        f"write each part of {name} as a string",
                    )
        yield from environment_problems(self.environment)
        yield from self._platform_problems()

    def _platform_problems(self) -> Iterator[Problem]:
        """What is wrong with what Vertex AI alone does: probes, time and memory, other ways in."""
        for name in ("startup_probe", "health_probe", "liveness_probe"):
            probe: Probe | None = getattr(self, name)
            if probe:
                yield from probe.problems(name)
        timeout, memory = self.deployment_timeout, self.shared_memory_size_mb
        if timeout is not None and not (
            type(timeout) in (int, float) and 0 < timeout <= _LONGEST_DEPLOYMENT_SECONDS
        ):
            yield Problem(
                f"deployment_timeout {timeout!r} is not a number of seconds up to "
                f"{_LONGEST_DEPLOYMENT_SECONDS}",
                "give one such as 1800",
            )
        if memory is not None and not (type(memory) is int and memory > 0):
            yield Problem(
                f"shared_memory_size_mb {memory!r} is not a whole number of megabytes",
                "give one such as 2048",
            )
        prefix = self.invoke_route_prefix
        if prefix and prefix != _INVOKE_ROUTE_PREFIX:
            yield Problem(
                f"invoke_route_prefix {prefix!r}: Vertex AI takes {_INVOKE_ROUTE_PREFIX!r} alone",
                f"give {_INVOKE_ROUTE_PREFIX!r}, or leave it out",
            )
        if prefix and self.predict_route:
            yield Problem(
                f"invoke_route_prefix {prefix!r} and predict_route {self.predict_route!r}: Vertex AI takes "
                "one of them",
                "leave one of them out",
            )


def environment_problems(environment: Mapping[str, Any]) -> Iterator[Problem]:
    """Variables that can't be set in a model's container."""
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name or name.startswith("AIP_"):
            yield Problem(
                f"environment variable {name!r} can't be set: names hold no `=`, and `AIP_` is Vertex AI's",
                "choose another name",
            )
        if not isinstance(value, str):
            yield Problem(
                f"environment variable {name} is a {type(value).__name__}; a string or a number is accepted",
                "write the value as a string",
            )


def as_text(value: Any) -> Any:
    """A value of a KFP list or struct as a container gets it: 3.0 is `3`, True is `true`; others stay."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number
