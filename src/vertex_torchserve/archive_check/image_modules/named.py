"""The inventory that somebody names: one of our images, a file, or an image that an engine has."""

import json
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.image_presence import image_problems

_HOW_TO_GET_ONE = "docker run --rm --entrypoint cat IMAGE /opt/venv/inventory.json > inventory.json"


def inventory_named(named: str) -> ImageModules:
    """Read it, or ask the image for it.

    Args:
        named: `cpu` or `gpu`, of which this package has a list; a .json file, the `inventory.json` of an
            image; else an image, which the engine pulls when it does not have it.

    Raises:
        InputError: There is no such file, or it is no inventory, or no such image.
        DockerError: There is no engine, or no Python 3.10 or later in the image.
    """
    match named:
        case "cpu" | "gpu":
            return of_our_images(named)
        case _ if named.endswith(".json"):
            return _of_a_file(Path(named))
        case _:
            raise_problems(image_problems(named))
            return modules_of(named)


def read_inventory(text: bytes, name: str, file: str) -> ImageModules:
    """Read the `inventory.json` of an image.

    Args:
        text: What the file holds.
        name: Of the image, in messages.
        file: Of the file, in messages.

    Raises:
        InputError: It is something else.
    """
    try:
        return ImageModules.of(name, json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(Problem(f"{file} is not the inventory of an image", _HOW_TO_GET_ONE)) from error


def _of_a_file(path: Path) -> ImageModules:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(Problem(f"{path} can't be read: {error.strerror}", _HOW_TO_GET_ONE)) from error
    return read_inventory(text, f"the image of {path.name}", str(path))
