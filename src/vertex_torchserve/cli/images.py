"""`vertex-torchserve images`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vertex_torchserve import __version__
from vertex_torchserve.cli.console import output
from vertex_torchserve.cli.images_inspect import inspect
from vertex_torchserve.errors import Problem, raise_problems

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
_DERIVED_TAGS = {
    ImageKind.CPU: "torchserve-cpu:with-requirements",
    ImageKind.GPU: "torchserve-gpu:with-requirements",
}
_TAGS = {
    ImageKind.CPU: "torchserve-cpu:dev",
    ImageKind.GPU: "torchserve-gpu:dev",
    ImageKind.COMPONENT: "vertex-torchserve-component:dev",
}


images.command()(inspect)


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
    torch_version: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="Of cpu and gpu: this torch, such as 2.14.1; 2.13.0 if not given."
        ),
    ] = None,
    cuda: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Of gpu: torch's wheels for this CUDA, such as 13.0; the oldest that there is if not given.",
        ),
    ] = None,
    source: Annotated[Path, typer.Option(metavar="FOLDER", help="A checkout of vertex-torchserve.")] = Path(),
    with_requirements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Install this requirements file into a serving image that is there."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="With --with-requirements: the image to install them into; of component: the CPU image that "
            "it is made of. torchserve-cpu:dev and so on if not given.",
        ),
    ] = None,
    pip_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --with-requirements: a pip.conf for the build alone, such as a private index with its "
            "password.",
        ),
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The network of the build's steps: host, or none for a build of what was fetched before.",
        ),
    ] = "host",
) -> None:
    """Build one of the project's images with Docker, from a checkout.

    With --with-requirements no checkout is needed: the image is made of a serving image that is there, with
    what your models need installed beside its torch, so that nothing is installed at a start
    (docs/derived-images.md). It is called torchserve-cpu:with-requirements if no --tag is given.

    Prints the image's name and size, and with --push its name by digest, which never means another image.
    Vertex AI takes images from Artifact Registry in the model's own region (docs/publishing.md). Next:
    `conformance` of it, `docker run` it with an archive (images/README.md), or upload a model that names it.

    Examples:

        vertex-torchserve images build cpu --tag LOCATION-docker.pkg.dev/PROJECT/REPO/torchserve-cpu:1 --push

        vertex-torchserve images build cpu --with-requirements vision.txt --tag torchserve-cpu:vision

        vertex-torchserve images build gpu --torch-version 2.14.1 --cuda 13.0
    """
    from vertex_torchserve import docker
    from vertex_torchserve.checkout import commit_of
    from vertex_torchserve.derived_image import DerivedImage, build_derived_image
    from vertex_torchserve.errors import told_together
    from vertex_torchserve.image_presence import image_problems
    from vertex_torchserve.torch_builds import torch_build_arguments

    dockerfile = source / _DOCKERFILES[image]
    problems = [*_build_argument_problems(build_arg or []), *_push_problems(tag, push)]
    if with_requirements is None:
        problems += _base_problems(image, base, build_arg or [])
        problems += _checkout_problems(dockerfile, pip_config)
    elif image is ImageKind.COMPONENT:
        problems.append(
            Problem(
                "--with-requirements makes a serving image, and the component's is none", "write cpu or gpu"
            )
        )
    problems += _torch_problems(image, with_requirements, torch_version, cuda, build_arg or [])
    torch = dict[str, str]()
    with told_together(problems):
        torch = torch_build_arguments(torch_version, cuda, gpu=image is not ImageKind.CPU)
    raise_problems(problems)
    arguments = torch | dict(argument.split("=", 1) for argument in build_arg or [])
    if with_requirements is None:
        name = tag or _TAGS[image]
        docker.engine_version()
        if image is ImageKind.COMPONENT:
            arguments.setdefault("BASE_IMAGE", base or _TAGS[ImageKind.CPU])
            raise_problems(image_problems(arguments["BASE_IMAGE"]))
        docker.build_image(
            dockerfile,
            source,
            name,
            build_arguments={"COMMIT": commit_of(source), **arguments},
            labels={"org.opencontainers.image.version": __version__},
            network=network,
        )
    else:
        name = tag or _DERIVED_TAGS[image]
        build_derived_image(
            DerivedImage(name, base or _TAGS[image], with_requirements, pip_config, arguments, network)
        )
    pushed = f", pushed as {docker.push_image(name)}" if push else ""
    output.print(f"{name}: {docker.inspect_image(name)['Size'] / 1e9:.2f} GB{pushed}", markup=False)


def _push_problems(tag: str | None, push: bool) -> Iterator[Problem]:
    if push and "/" not in (tag or ""):
        yield Problem(
            f"--push needs a --tag that begins with a registry; it is {tag or 'not given'}",
            "write --tag LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG",
        )


def _checkout_problems(dockerfile: Path, pip_config: Path | None) -> Iterator[Problem]:
    """What is wrong with the options of an image that is built from a checkout."""
    if not dockerfile.is_file():
        yield Problem(
            f"{dockerfile} does not exist; images are built from a checkout", "name one with --source"
        )
    if pip_config is not None:
        yield Problem(
            f"--pip-config is {pip_config}, and only images with requirements of their own have it",
            "give --with-requirements as well, or leave it out",
        )


def _base_problems(image: ImageKind, base: str | None, build_arguments: list[str]) -> Iterator[Problem]:
    """What is wrong with the base of an image that is built from a checkout."""
    if base is None:
        return
    if image is not ImageKind.COMPONENT:
        yield Problem(
            f"--base is {base}, and only images with requirements of their own and the component's have it",
            "give --with-requirements as well, or name Debian's image with --build-arg BASE_IMAGE=IMAGE",
        )
    elif any(argument.startswith("BASE_IMAGE=") for argument in build_arguments):
        yield Problem("--base with --build-arg BASE_IMAGE, which says the same", "leave out one of them")


def _torch_problems(
    image: ImageKind,
    with_requirements: Path | None,
    torch: str | None,
    cuda: str | None,
    build_arguments: list[str],
) -> Iterator[Problem]:
    """What stands beside a torch or a CUDA that is to be taken, and can't."""
    given = [option for option, value in (("--torch-version", torch), ("--cuda", cuda)) if value is not None]
    if not given:
        return
    options = " and ".join(given)
    if with_requirements is not None:
        yield Problem(
            f"{options} with --with-requirements: the torch of the base stays", "build the base with it"
        )
    elif image is ImageKind.COMPONENT:
        yield Problem(
            f"{options} with component: its torch is the CPU image's", "build cpu with it, then component"
        )
    for argument in build_arguments:
        name = argument.partition("=")[0]
        if name in {"TORCH_VERSION", "TORCH_INDEX_URL"}:
            yield Problem(f"{options} with --build-arg {name}, which says the same", "leave out one of them")


def _build_argument_problems(build_arguments: list[str]) -> Iterator[Problem]:
    for argument in build_arguments:
        if not argument.partition("=")[0].isidentifier() or "=" not in argument:
            yield Problem(f"build argument {argument!r} is not NAME=VALUE", f"write {argument}=VALUE")
