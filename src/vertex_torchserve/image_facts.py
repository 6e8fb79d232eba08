"""What an image is and holds: by the local engine, and by its own Python in a container without network."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vertex_torchserve import docker
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.image_names import is_serving_image

_SHOWN = (
    "vertex-torchserve", "torchserve", "torch", "torchvision", "transformers", "tokenizers", "sentencepiece",
    "numpy", "kfp", "google-cloud-aiplatform",
)  # fmt: skip
_PROGRAM = """
import importlib.metadata, json, platform, sys
found = {(one.metadata["Name"] or "").lower(): one.version for one in importlib.metadata.distributions()}
try:
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
except OSError:
    system = ""
named = {name: found[name] for name in sys.argv[1:] if name in found}
print(json.dumps({"system": system, "Python": platform.python_version(), **named, "all": str(len(found))}))
"""


@dataclass(frozen=True)
class ImageFacts:
    """An image of the local engine.

    Attributes:
        name: As it was asked for.
        digest: Its id.
        size_bytes: Uncompressed.
        created: ISO 8601.
        platform: Such as `linux/amd64`.
        is_ours: Whether its name is that of one of this project's serving images.
        user: That its process runs as; root when empty.
        entrypoint: And its arguments.
        ports: That it says it listens on.
        variables: Names of the environment variables that it sets.
        labels: Name -> value.
        versions: Of what its Python has; empty when it has none.
    """

    name: str
    digest: str
    size_bytes: int
    created: str
    platform: str
    is_ours: bool
    user: str
    entrypoint: Sequence[str]
    ports: Sequence[str]
    variables: Sequence[str]
    labels: Mapping[str, str]
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def facts_of(image: str) -> ImageFacts:
    """Look at an image that the engine has.

    Args:
        image: Its name.

    Raises:
        InputError: The engine has no such image.
        DockerError: There is no engine.
    """
    docker.engine_version()
    try:
        found = docker.inspect_image(image)
    except docker.DockerError as error:
        raise InputError(
            Problem(f"the engine has no image {image!r}", f"correct its name, or `docker pull {image}`")
        ) from error
    config = found["Config"]
    return ImageFacts(
        name=image,
        digest=found["Id"],
        size_bytes=found["Size"],
        created=found["Created"],
        platform=f"{found['Os']}/{found['Architecture']}",
        is_ours=is_serving_image(image),
        user=config.get("User") or "",
        entrypoint=[*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])],
        ports=sorted(config.get("ExposedPorts") or {}),
        variables=sorted(each.partition("=")[0] for each in config.get("Env") or []),
        labels=config.get("Labels") or {},
        versions=_versions(image),
    )


def _versions(image: str) -> Mapping[str, str]:
    options = ("--network", "none", "--entrypoint", "python3")
    try:
        said: dict[str, str] = json.loads(
            docker.output_of(image, "-I", "-c", _PROGRAM, *_SHOWN, options=options)
        )
    except (docker.DockerError, ValueError):
        return {}
    return said
