"""A container spec as the registry holds it (`ModelContainerSpec` in the API's JSON), and back."""

from collections.abc import Mapping
from typing import Any

from vertex_torchserve.serving_plan.container_spec import ContainerSpec
from vertex_torchserve.serving_plan.probe import Probe, api_form

# The API's names; a test compares them with the SDK's message.
FORM_FIELDS = (
    "imageUri",
    "command",
    "args",
    "env",
    "ports",
    "grpcPorts",
    "predictRoute",
    "healthRoute",
    "invokeRoutePrefix",
    "deploymentTimeout",
    "sharedMemorySizeMb",
    "startupProbe",
    "healthProbe",
    "livenessProbe",
)


def registered_form(spec: ContainerSpec) -> dict[str, Any]:
    """What is sent to the registry; a field that is not given is not there."""
    probes = {
        "startupProbe": spec.startup_probe,
        "healthProbe": spec.health_probe,
        "livenessProbe": spec.liveness_probe,
    }
    form = {
        "imageUri": spec.image,
        "command": list(spec.command),
        "args": list(spec.args),
        "env": [{"name": name, "value": value} for name, value in spec.environment.items()],
        "ports": _ports(spec.ports),
        "grpcPorts": _ports(spec.grpc_ports),
        "predictRoute": spec.predict_route,
        "healthRoute": spec.health_route,
        "invokeRoutePrefix": spec.invoke_route_prefix,
        "deploymentTimeout": f"{spec.deployment_timeout}s" if spec.deployment_timeout else None,
        # A 64-bit number is a string in the API's JSON.
        "sharedMemorySizeMb": str(spec.shared_memory_size_mb) if spec.shared_memory_size_mb else None,
        **{name: dict(probe.form) if probe else None for name, probe in probes.items()},
    }
    return {name: value for name, value in form.items() if value}


def container_spec_of(form: Mapping[str, Any]) -> ContainerSpec:
    """The container spec of a form, the registry's own or one that a user wrote.

    Args:
        form: Fields of `FORM_FIELDS`; others are ignored. Names may have underscores.
    """
    given = api_form(form)
    return ContainerSpec(
        image=given.get("imageUri", ""),
        predict_route=given.get("predictRoute") or None,
        health_route=given.get("healthRoute") or None,
        ports=_numbers(given.get("ports")),
        environment={variable["name"]: variable.get("value", "") for variable in given.get("env", [])},
        command=given.get("command", ()),
        args=given.get("args", ()),
        startup_probe=Probe.of(given.get("startupProbe")),
        health_probe=Probe.of(given.get("healthProbe")),
        liveness_probe=Probe.of(given.get("livenessProbe")),
        invoke_route_prefix=given.get("invokeRoutePrefix") or None,
        grpc_ports=_numbers(given.get("grpcPorts")),
        deployment_timeout=_seconds(given.get("deploymentTimeout")),
        shared_memory_size_mb=_whole(given.get("sharedMemorySizeMb")),
    )


def _ports(numbers: Any) -> list[dict[str, Any]]:
    return [{"containerPort": number} for number in numbers]


def _numbers(ports: Any) -> tuple[Any, ...]:
    return tuple(port.get("containerPort") if isinstance(port, Mapping) else port for port in ports or ())


def _seconds(duration: Any) -> Any:
    """Of `90s` and `90.5s`; what is no duration stays, and `ContainerSpec.problems` names it."""
    try:
        return float(duration.removesuffix("s")) if isinstance(duration, str) else duration
    except ValueError:
        return duration


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, str) and number.isdecimal() else number
