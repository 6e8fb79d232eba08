"""Build a derived image."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vertex_torchserve import docker
from vertex_torchserve.archive_check.image_modules import ImageModules, listing
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.derived_image.requirements import RequirementsBeside
from vertex_torchserve.errors import InputError, Problem, raise_problems

_HERE = Path(__file__).parent
_PIP_SECRET = "pip.conf"  # noqa: S105 (the name of a file)


@dataclass(frozen=True)
class DerivedImage:
    """What a derived image is made of.

    Attributes:
        tag: Its name.
        base: The image that it is made of.
        requirements: The requirements file. What its lines name (`./mypkg.whl`, `-r more.txt`) and a folder
            `wheels` lie beside it.
        pip_config: A pip.conf for the build alone: an index of one's own, with its password. None: pip's
            defaults.
        build_arguments: Of the Dockerfile; `TORCH_INDEX_URL` is the index that the base's torch comes from,
            if not given.
        network: Of the build's steps. With `none`, pip looks for wheels in the folder `wheels` alone.
    """

    tag: str
    base: str
    requirements: Path
    pip_config: Path | None = None
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    network: str = "host"


def build_derived_image(image: DerivedImage) -> None:
    """Install a requirements file into another image; user and entrypoint stay the base's.

    torch and torchserve keep the base's versions. The build's output goes to standard error.

    Args:
        image: What it is made of.

    Raises:
        InputError: The requirements can't be read or want another torch, a file that they name isn't there,
            or there is no such base image.
        DockerError: There is no engine, or the build fails; docker has then shown why.
    """
    beside = RequirementsBeside(image.requirements)
    problems = [*beside.problems(), *_problems(image)]
    try:
        docker.engine_version()
    except docker.DockerError:
        raise_problems(problems)
        raise
    modules = _modules(image.base)
    if isinstance(modules, Problem):
        raise InputError(*problems, modules)
    if "torch" not in modules.versions:
        problems.append(Problem(f"{image.base} has no torch", "name an image that serves models"))
    raise_problems([*problems, *beside.torch_problems(modules)])
    with tempfile.TemporaryDirectory(prefix="vts-") as name:
        context = Path(name)
        (context / "files").mkdir()
        beside.copy_to(context / "files")
        shutil.copyfile(_HERE / "install.py", context / "install.py")
        shutil.copyfile(listing.__file__, context / "listing.py")
        docker.build_image(
            _HERE / "Dockerfile",
            context,
            image.tag,
            build_arguments={
                "TORCH_INDEX_URL": modules.torch_index or "",
                "PIP_NO_INDEX": "1" if image.network == "none" else "",
                **image.build_arguments,
                "BASE_IMAGE": image.base,
                "BASE_USER": docker.inspect_image(image.base)["Config"]["User"] or "0",
                "REQUIREMENTS": image.requirements.name,
            },
            labels={"org.opencontainers.image.base.name": image.base},
            secrets={_PIP_SECRET: image.pip_config} if image.pip_config else {},
            network=image.network,
        )


def _problems(image: DerivedImage) -> list[Problem]:
    problems = []
    if image.tag == image.base:
        problems.append(
            Problem(f"{image.tag} is the base image, which the build would replace", "give another --tag")
        )
    if image.pip_config is not None and not image.pip_config.is_file():
        problems.append(
            Problem(f"{image.pip_config} is not a file; a pip.conf is needed", "correct the path")
        )
    return problems


def _modules(base: str) -> ImageModules | Problem:
    """What the base has, or why there is none; with a registry in its name it is pulled when need be."""
    try:
        if "/" not in base:
            docker.inspect_image(base)
        return modules_of(base)
    except docker.DockerError as error:
        return Problem(
            f"the engine has no image {base} to build from: {error.message}",
            "build it with `vertex-torchserve images build`, or name another with --base",
        )
