"""`vertex-torchserve images`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve import __version__
from vertex_torchserve.cli.console import messages, output
from vertex_torchserve.errors import InputError, Problem

images = typer.Typer(
    no_args_is_help=True, help="The images that serve model archives and run the KFP component."
)


class ImageKind(StrEnum):
    """The images of this project."""

    CPU = "cpu"
    GPU = "gpu"
    COMPONENT = "component"


_DOCKERFILES = {
    ImageKind.CPU: "images/torchserve-cpu/Dockerfile",
    ImageKind.GPU: "images/torchserve-gpu/Dockerfile",
    ImageKind.COMPONENT: "component/Dockerfile",
}
_TAGS = {
    ImageKind.CPU: "torchserve-cpu:dev",
    ImageKind.GPU: "torchserve-gpu:dev",
    ImageKind.COMPONENT: "vertex-torchserve-component:dev",
}


@images.callback()
def _images() -> None:
    """Without a callback Typer would make the only subcommand, `build`, the command itself."""


@images.command()
def build(
    image: Annotated[ImageKind, typer.Argument(help="Which image.")],
    tag: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The image's name; torchserve-cpu:dev and so on if not given."),
    ] = None,
    push: Annotated[
        bool, typer.Option("--push", help="Push it to the registry its name begins with.")
    ] = False,
    build_arg: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A build argument of the Dockerfile; may be repeated."),
    ] = None,
    source: Annotated[Path, typer.Option(metavar="FOLDER", help="A checkout of vertex-torchserve.")] = Path(),
) -> None:
    """Build one of the project's images with Docker, from a checkout.

    Prints the image's name and size. Vertex AI takes images from Artifact Registry in the model's own
    region. Next: `docker run` it with an archive (images/README.md), or upload a model that names it.

    Example:

        vertex-torchserve images build cpu --tag LOCATION-docker.pkg.dev/PROJECT/REPO/torchserve-cpu:1 --push
    """
    from vertex_torchserve import docker

    dockerfile = source / _DOCKERFILES[image]
    arguments = _checked(dockerfile, build_arg or [])
    name = tag or _TAGS[image]
    docker.engine_version()
    labels = {"org.opencontainers.image.version": __version__}
    docker.build_image(dockerfile, source, name, build_arguments=arguments, labels=labels)
    if push:
        docker.push_image(name)
        messages.print(f"pushed {name}", markup=False)
    output.print(f"{name}: {docker.inspect_image(name)['Size'] / 1e9:.2f} GB", markup=False)


def _checked(dockerfile: Path, build_arguments: list[str]) -> dict[str, str]:
    """The build arguments by name.

    Raises:
        InputError: When there is no such Dockerfile, or an argument is not NAME=VALUE.
    """
    problems = []
    if not dockerfile.is_file():
        problems.append(
            Problem(
                f"{dockerfile} does not exist; images are built from a checkout", "name one with --source"
            )
        )
    problems += [
        Problem(f"build argument {argument!r} is not NAME=VALUE", f"write {argument}=VALUE")
        for argument in build_arguments
        if not argument.partition("=")[0].isidentifier() or "=" not in argument
    ]
    if problems:
        raise InputError(*problems)
    return dict(argument.split("=", 1) for argument in build_arguments)
