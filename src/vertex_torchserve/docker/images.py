"""Images: built, pushed, looked at."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve.docker.command_line import ask, show

# A colon behind the last slash: the one of a registry's port has a slash behind it.
_TAG = re.compile(r":[^/]*$")


def build_image(
    dockerfile: Path,
    context: Path,
    tag: str,
    *,
    build_arguments: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    secrets: Mapping[str, Path] | None = None,
    network: str = "host",
) -> None:
    """Build an image with BuildKit; its progress goes to standard error.

    Args:
        dockerfile: The Dockerfile.
        context: The folder that it copies from.
        tag: The image's name.
        build_arguments: For the Dockerfile's `ARG` lines.
        labels: For the image.
        secrets: Files that the Dockerfile mounts by these names, and that are in no layer.
        network: Of the build's steps: `host` is the machine's own, `none` lets them fetch nothing.

    Raises:
        DockerError: When the build fails; docker has then shown why.
    """
    arguments = ["build", "--network", network, "--file", str(dockerfile), "--tag", tag]
    for name, value in (build_arguments or {}).items():
        arguments += ["--build-arg", f"{name}={value}"]
    for name, value in (labels or {}).items():
        arguments += ["--label", f"{name}={value}"]
    for name, file in (secrets or {}).items():
        arguments += ["--secret", f"id={name},src={file}"]
    show(*arguments, str(context), what=f"image {tag!r} could not be built from {dockerfile}")


def push_image(tag: str) -> str:
    """Push an image to the registry its tag names; progress goes to standard error.

    Returns:
        Its name by digest, which is this image for ever: `REGISTRY/PATH@sha256:...`.

    Raises:
        DockerError: When the registry refuses it or can't be reached; docker has then shown why.
    """
    show("push", tag, what=f"image {tag!r} could not be pushed", fix=_push_fix(tag))
    repository = _TAG.sub("", tag)
    # The engine leaves out `docker.io/`. Where it knows several digests, each of them is this image.
    known = (name.split("@") for name in inspect_image(tag)["RepoDigests"])
    return f"{repository}@{next(digest for name, digest in known if repository.endswith(name))}"


def inspect_image(tag: str) -> dict[str, Any]:
    """What the engine knows of an image: `Id`, `Size` (bytes, uncompressed), `Config`, ...

    Raises:
        DockerError: When there is no such image.
    """
    images: list[dict[str, Any]] = json.loads(ask("image", "inspect", tag))
    return images[0]


def _push_fix(tag: str) -> str:
    host, slash, _ = tag.partition("/")
    if host.endswith("-docker.pkg.dev"):
        login = f"gcloud auth configure-docker {host}"
    else:
        # Without a dot, a port or this name it is a name of Docker Hub.
        login = f"docker login {host}" if slash and re.search(r"[.:]|^localhost$", host) else "docker login"
    return (
        f"read what docker says above; where it says denied, unauthorized or no credentials: `{login}`. The "
        f"image is built: `docker push {tag}` tries again"
    )
