"""The inventory that somebody names: one of our images, a file, or an image that an engine has."""

import json
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.image_presence import image_problems


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


def _of_a_file(path: Path) -> ImageModules:
    fix = "docker run --rm --entrypoint cat IMAGE /opt/venv/inventory.json > inventory.json"
    try:
        return ImageModules.of(f"the image of {path.name}", json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(Problem(f"{path} can't be read: {error.strerror}", fix)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(Problem(f"{path} is not the inventory of an image", fix)) from error
