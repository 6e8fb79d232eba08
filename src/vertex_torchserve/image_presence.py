"""Whether there is an image, asked before any work is done that needs it."""

from vertex_torchserve.docker import PULL_SECONDS, DockerError, ask, engine_version
from vertex_torchserve.errors import Problem


def image_problems(image: str) -> list[Problem]:
    """What is wrong with the name of an image: the engine doesn't have it and can't get it.

    An image that only its registry has is not pulled: that is left to the work itself. Registries that the
    client doesn't reach and the engine does, through a mirror, are asked by a pull.

    Args:
        image: As it is given to `docker run`.

    Returns:
        One problem or none; none without an engine, of which the first command that needs it tells.
    """
    try:
        engine_version()
    except DockerError:
        return []
    for question in (("image", "inspect"), ("manifest", "inspect"), ("pull", "--quiet")):
        try:
            ask(*question, image, seconds=PULL_SECONDS)
        except DockerError as error:
            said = error.message
        else:
            return []
    return [
        Problem(
            f"there is no image {image!r}, in the engine or in a registry: {said}",
            "correct its name, or build it: `vertex-torchserve images build cpu`",
        )
    ]
