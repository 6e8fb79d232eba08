"""From an archive's requirements to its wheels and their lock, which takes the requirements' place."""

from collections.abc import Iterator
from pathlib import Path

from vertex_torchserve.archive_check.requirement_members import (
    MOST_BYTES,
    WHEELS,
    packed_requirements,
)
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.image_presence import image_problems
from vertex_torchserve.model_archive.members import Members
from vertex_torchserve.model_archive.spec import ModelArchiveSpec
from vertex_torchserve.model_archive.wheels.by_pip_here import wheels_by_pip_here
from vertex_torchserve.model_archive.wheels.from_image import wheels_of_image
from vertex_torchserve.model_archive.wheels.lock import lock_text
from vertex_torchserve.model_archive.wheels.target_platform import (
    DEFAULT_PLATFORM,
    DEFAULT_PYTHON,
    TargetPlatform,
)

INDEX = "index"
"""In the place of an image or a folder: pip here asks its index for wheels of our images' platform."""
_NO_IMAGE = (".", "/", "~")


def vendoring_problems(spec: ModelArchiveSpec, requirements: Path | None) -> Iterator[Problem]:
    """What is wrong with the inputs that say which wheels go in, among them an image that isn't there.

    Args:
        spec: What to package.
        requirements: The requirements file; None when there is none.
    """
    given = spec.python or spec.platform
    if spec.vendor_wheels is None:
        if given:
            yield Problem(
                f"{given!r} says for which platform wheels are chosen, and none are to be",
                "give --vendor-wheels the folder that holds them, or `index`, or leave it out",
            )
        return
    named = spec.vendor_wheels
    is_image = named != INDEX and not Path(named).is_dir()
    if is_image and (given or named.startswith(_NO_IMAGE) or named.endswith(("/", ".whl"))):
        yield Problem(
            f"vendor_wheels {named!r} is not a folder that exists; accepted are a folder of wheels, `index`, "
            "or an image, which says itself what its Python and its platform are",
            "correct the path, or name an image and leave --python and --platform out",
        )
    elif is_image:
        yield from image_problems(named)
    if requirements is None:
        yield Problem(
            f"vendor_wheels {named!r}, and no requirements whose wheels could be chosen",
            "give them with --requirements-file",
        )
    yield from _target(spec).problems()


def vendored_wheels(spec: ModelArchiveSpec, subject: Subject, work: Path) -> Members:
    """Choose the wheels; the image's torch, torchserve and whatever else it has stay out.

    Args:
        spec: What to package; its `vendor_wheels` is not None.
        subject: The archive as it is without them.
        work: A private folder for the wheels and the lock, which must stay until the archive is written.

    Returns:
        The members to add: the wheels, and the lock under the name of the requirements.

    Raises:
        InputError: When there are no packages that agree with each other and with the image.
        DockerError: There is no engine, or no such image.
    """
    requirements = subject.requirements.member
    packed = packed_requirements(subject)
    if packed is None:
        raise InputError(
            Problem(
                f"{WHEELS} and the files that {requirements} names have more than {MOST_BYTES:,} bytes",
                "name the packages and their versions in the requirements",
            )
        )
    named, target = str(spec.vendor_wheels), _target(spec)
    folder = work / "wheels"
    if named == INDEX or Path(named).is_dir():
        source = None if named == INDEX else Path(named)
        wheels = wheels_by_pip_here(source, target, subject, packed, folder)
        chosen_for = f"Python {target.python} on {target.platform}"
    else:
        wheels = wheels_of_image(named, requirements, packed, folder)
        chosen_for = f"the image {named}"
    lock = work / "lock" / requirements
    lock.parent.mkdir(parents=True)
    lock.write_text(lock_text(requirements, chosen_for, wheels), encoding="utf-8")
    return {**{f"{WHEELS}{wheel.name}": wheel for wheel in wheels}, requirements: lock}


def _target(spec: ModelArchiveSpec) -> TargetPlatform:
    return TargetPlatform(spec.python or DEFAULT_PYTHON, spec.platform or DEFAULT_PLATFORM)
