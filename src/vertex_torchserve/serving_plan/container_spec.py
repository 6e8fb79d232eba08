"""The container of a model version, in the terms of Vertex AI's `ModelContainerSpec`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, is_route, predict_route_of
from vertex_torchserve.serving_plan.probes import ExecProbe

# Vertex AI's own, where a model names no port.
DEFAULT_PORT = 8080


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
    """

    image: str = ""
    predict_route: str | None = None
    health_route: str | None = None
    ports: Sequence[Any] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    command: Sequence[Any] = ()
    args: Sequence[Any] = ()
    startup_probe: ExecProbe | None = None
    health_probe: ExecProbe | None = None

    def __post_init__(self) -> None:
        """Convert what KFP delivered."""
        converted = {
            "ports": tuple(_whole(port) for port in self.ports),
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

    def problems(self) -> Iterator[Problem]:
        """What Vertex AI, or a container engine, would refuse."""
        for port in self.ports:
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

    def upload_arguments(self) -> dict[str, Any]:
        """The arguments of `aiplatform.Model.upload` for it; None where something is not given."""
        probes = {"startup": self.startup_probe, "health": self.health_probe}
        return {
            "serving_container_image_uri": self.image,
            "serving_container_predict_route": self.predict_route,
            "serving_container_health_route": self.health_route,
            "serving_container_ports": list(self.ports) or None,
            "serving_container_environment_variables": dict(self.environment) or None,
            "serving_container_command": list(self.command) or None,
            "serving_container_args": list(self.args) or None,
            **{
                name: value
                for kind, probe in probes.items()
                if probe is not None
                for name, value in probe.keyword_arguments(kind).items()
            },
        }


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


def _whole(port: Any) -> Any:
    return int(port) if isinstance(port, float) and port.is_integer() else port
