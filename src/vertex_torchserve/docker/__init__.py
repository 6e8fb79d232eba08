"""A thin typed wrapper over the docker command line: build an image, run a container, read its state and log.

`VTS_DOCKER` names another client than the first `docker` on the PATH. Images are built with BuildKit, for
which clients from version 23 on need the buildx plug-in.
"""

from vertex_torchserve.docker.command_line import (
    CLIENT_VARIABLE,
    PULL_SECONDS,
    DockerError,
    ask,
    client,
    engine_version,
)
from vertex_torchserve.docker.container import Container, ContainerState, output_of
from vertex_torchserve.docker.images import build_image, inspect_image, push_image

__all__ = [
    "CLIENT_VARIABLE",
    "PULL_SECONDS",
    "Container",
    "ContainerState",
    "DockerError",
    "ask",
    "build_image",
    "client",
    "engine_version",
    "inspect_image",
    "output_of",
    "push_image",
]
