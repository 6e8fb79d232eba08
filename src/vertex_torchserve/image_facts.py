"""What an image is and holds: by the local engine, and by its own Python in a container without network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vertex_torchserve import docker
from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.image_names import is_serving_image

# Of what its Python has, what a user asks for; the inventory has all of it (docs/inventory.md).
_SHOWN = (
    "vertex-torchserve", "torchserve", "torch", "torchvision", "transformers", "tokenizers", "sentencepiece",
    "numpy", "kfp", "google-cloud-aiplatform",
)  # fmt: skip


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
        commit: That it was built from; empty where it doesn't say.
        versions: Of Python and of what a model needs of it; empty where no Python tells.
        packages: How many packages its Python has.
        system_packages: How many of Debian's it has.
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
    commit: str
    versions: Mapping[str, str]
    packages: int
    system_packages: int

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
    inventory = _inventory(image)
    has = inventory.versions if inventory else {}
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
        commit=inventory.commit if inventory else "",
        versions={
            **({"Python": inventory.python} if inventory else {}),
            **{name: has[name] for name in _SHOWN if name in has},
        },
        packages=len(has),
        system_packages=len(inventory.system) if inventory else 0,
    )


def _inventory(image: str) -> ImageModules | None:
    """What its Python has; None where it has none that tells."""
    try:
        return modules_of(image)
    except docker.DockerError:
        return None
