"""The Docker engine, which images and `--image` need."""

from vertex_torchserve import docker
from vertex_torchserve.doctor.finding import Finding, State

# The first version of the client that leaves BuildKit to a plug-in.
_NEEDS_BUILDX = 23
_FIX = "install the plug-in (https://docs.docker.com/go/buildx/), or name another client with VTS_DOCKER"


def check_docker() -> list[Finding]:
    """Whether an engine answers, and whether the client can build images with BuildKit."""
    try:
        version = docker.engine_version()
    except docker.DockerError as error:
        return [Finding("docker", State.MISSING, error.message, error.fix or "install and start Docker")]
    client = docker.ask("version", "--format", "{{.Client.Version}}").strip()
    seen = f"engine {version}, client {docker.client()} {client}"
    if int(client.partition(".")[0]) >= _NEEDS_BUILDX:
        try:
            docker.ask("buildx", "version")
        except docker.DockerError:
            return [Finding("docker", State.WARNING, f"{seen}: it can't build images without buildx", _FIX)]
    return [Finding("docker", State.OK, seen)]
