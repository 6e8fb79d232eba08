"""One try of a model's probe on a container that is ready."""

import socket
from collections.abc import Callable

import httpx

from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving_plan import Probe

_TIMEOUT_SECONDS = 10.0


def tried(probe: Probe, container: Container, address: Callable[[], tuple[str, int]], port: int) -> str:
    """What was seen.

    A probe by gRPC, and one of another port or host than the container's own, are not tried; what is returned
    says so.

    Args:
        probe: One without problems.
        container: What it is tried on.
        address: Where the container's port is reached.
        port: The container's port, which a probe asks when it names none.

    Raises:
        ServingError: It does not succeed.
    """
    command = probe.action.get("command", [])
    if probe.kind == "exec":
        words = f"`{' '.join(command)}`"
        try:
            container.execute(*command)
        except DockerError as error:
            raise ServingError(f"the probe {words} failed: {error.message}") from error
        return f"{words} ended with 0"
    elsewhere = probe.action.get("port", port) != port or "host" in probe.action
    if probe.kind == "grpc" or elsewhere:
        return (
            f"the probe {dict(probe.form)} was not tried: only the container's own port {port} is asked here"
        )
    if probe.kind == "tcpSocket":
        try:
            socket.create_connection(address(), timeout=_TIMEOUT_SECONDS).close()
        except OSError as error:
            raise ServingError(f"the probe by TCP failed: {error}") from error
        return f"port {port} was connected to"
    return _asked(probe, address())


def _asked(probe: Probe, address: tuple[str, int]) -> str:
    path = f"/{str(probe.action.get('path', '')).lstrip('/')}"
    url = f"{probe.action.get('scheme', 'HTTP').lower()}://{address[0]}:{address[1]}{path}"
    headers = {header["name"]: header.get("value", "") for header in probe.action.get("httpHeaders", [])}
    try:
        # Any certificate will do, as for Kubernetes, whose probes these are.
        response = httpx.get(url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False, verify=False)  # noqa: S501
    except httpx.HTTPError as error:
        raise ServingError(f"the probe GET {path} failed: {error or type(error).__name__}") from error
    if not 200 <= response.status_code < 400:
        raise ServingError(f"the probe GET {path} answered {response.status_code}; 200 to 399 are needed")
    return f"GET {path} answered {response.status_code}"
