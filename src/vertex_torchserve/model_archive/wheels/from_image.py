"""Fetch the wheels that pip in an image chooses."""

import json
import tarfile
import tempfile
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import resolving
from vertex_torchserve.docker import DockerError, output_of
from vertex_torchserve.errors import InputError, Problem

_OPTIONS = ("--network", "host", "--entrypoint", "python3")


def wheels_of_image(image: str, requirements: str, packed: bytes, folder: Path) -> list[Path]:
    """Let pip in the image choose and fetch what the image lacks; sources become wheels there.

    Args:
        image: Its name; pulled when the engine does not have it.
        requirements: The name of the requirements file.
        packed: A tar of it, and of what it names.
        folder: Where the wheels are written.

    Raises:
        InputError: pip finds no packages that agree with each other and with the image.
        DockerError: There is no engine, no such image, or no Python with pip in it.
    """
    program = Path(resolving.__file__).read_text(encoding="utf-8")
    with tempfile.TemporaryFile() as delivered:
        command = ("-I", "-c", program, requirements, "wheels")
        output_of(image, *command, options=_OPTIONS, standard_input=packed, target=delivered)
        delivered.seek(0)
        try:
            with tarfile.open(fileobj=delivered) as archive:
                archive.extractall(folder, filter="data")
            answer = json.loads((folder / "answer.json").read_bytes())
        except (tarfile.TarError, OSError, ValueError) as error:
            raise DockerError(
                f"the image {image} delivers no wheels: {error}",
                "name an image whose `python3` is the Python that serves, with its pip",
            ) from error
    if answer["errors"]:
        raise InputError(
            Problem(
                f"pip can't install {requirements} in the image {image}: " + "\n  ".join(answer["errors"]),
                "change the versions that pip names",
            )
        )
    return sorted(folder.glob("*.whl"))
