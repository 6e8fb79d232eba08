"""Run a probe on a container."""

import socket

import httpx

from vertex_torchserve.docker import Container as DockerContainer
from vertex_torchserve.docker import DockerError
from vertex_torchserve.emulator.containers.docker_queries import execute
from vertex_torchserve.emulator.containers.probes import Probe

_SHOWN_CHARACTERS = 300


def failure(probe: Probe, container: DockerContainer, host: str, port: int) -> str:
    """Why a probe failed; empty when it succeeded.

    Args:
        probe: An `exec`, `httpGet` or `tcpSocket` probe.
        container: What it is run on.
        host: The container's address.
        port: Asked when the probe names no other.
    """
    port = probe.action.get("port") or port
    try:
        if probe.kind == "exec":
            execute(container, *probe.action.get("command", []), seconds=probe.timeout_seconds)
        elif probe.kind == "httpGet":
            return _http_failure(probe, f"{host}:{port}")
        else:
            socket.create_connection((host, port), timeout=probe.timeout_seconds).close()
    except (DockerError, OSError) as error:
        return str(error)[:_SHOWN_CHARACTERS]
    return ""


def _http_failure(probe: Probe, address: str) -> str:
    scheme = probe.action.get("scheme", "HTTP").lower()
    url = f"{scheme}://{address}/{probe.action.get('path', '').lstrip('/')}"
    headers = {header["name"]: header.get("value", "") for header in probe.action.get("httpHeaders", [])}
    try:
        # Like Kubernetes, whose probes take any certificate and follow no redirection elsewhere.
        status = httpx.get(
            url,
            headers=headers,
            timeout=probe.timeout_seconds,
            trust_env=False,
            verify=False,  # noqa: S501
        ).status_code
    except httpx.TransportError as error:
        return f"GET {url}: {error or type(error).__name__}"
    return "" if status in probe.statuses else f"GET {url}: status {status}"
