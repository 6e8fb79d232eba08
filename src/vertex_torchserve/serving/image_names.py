"""Which images are this project's own: those of `images/`."""

import re
from typing import Literal

SERVING_IMAGES: dict[str, Literal["cpu", "gpu"]] = {"torchserve-cpu": "cpu", "torchserve-gpu": "gpu"}
_TAG_OR_DIGEST = re.compile(r"[:@].*")


def is_serving_image(image: str) -> bool:
    """Whether an image is one of ours, by the last part of its path: `torchserve-cpu` or `torchserve-gpu`.

    Registry, repository, tag and digest may be any. Only the name is compared: to look into the image would
    take credentials for its registry, which may be missing where this is asked.
    """
    return serving_image_kind(image) is not None


def serving_image_kind(image: str) -> Literal["cpu", "gpu"] | None:
    """Which of our images an image is, by the same part of its name; None when it is none of them."""
    return SERVING_IMAGES.get(_TAG_OR_DIGEST.sub("", image.rpartition("/")[2]))
