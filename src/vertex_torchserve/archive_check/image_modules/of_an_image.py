"""What another image has: its own Python is asked, in a container without network."""

import json
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import ImageModules, listing
from vertex_torchserve.docker import DockerError, output_of


def modules_of(image: str) -> ImageModules:
    """The Python modules of an image.

    Args:
        image: Its name; pulled when the engine does not have it.

    Raises:
        DockerError: There is no engine, no such image, or no Python 3.10 or later in it.
    """
    program = Path(listing.__file__).read_text(encoding="utf-8")
    options = ("--network", "none", "--entrypoint", "python3")
    answer = output_of(image, "-I", "-c", program, options=options)
    try:
        return ImageModules.of(f"the image {image}", json.loads(answer), image)
    except (ValueError, LookupError, TypeError) as error:
        raise DockerError(
            f"the image {image} does not tell its Python modules: {answer[:200]!r}",
            "name an image whose `python3` is the Python that serves",
        ) from error
