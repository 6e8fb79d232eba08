"""The Docker engine, which images and `--image` need."""

from vertex_torchserve import docker
from vertex_torchserve.doctor.finding import Finding, State


def check_docker() -> list[Finding]:
    """Whether an engine answers."""
    try:
        version = docker.engine_version()
    except docker.DockerError as error:
        return [Finding("docker", State.MISSING, error.message, error.fix or "install and start Docker")]
    return [Finding("docker", State.OK, f"engine {version}, client {docker.client()}")]
