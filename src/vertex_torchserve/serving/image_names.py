"""Which images are this project's own: those of `images/`."""

import re

SERVING_IMAGES = ("torchserve-cpu", "torchserve-gpu")
_TAG_OR_DIGEST = re.compile(r"[:@].*")


def is_serving_image(image: str) -> bool:
    """Whether an image is one of ours, by the last part of its path: `torchserve-cpu` or `torchserve-gpu`.

    Registry, repository, tag and digest may be any. Only the name is compared: to look into the image would
    take credentials for its registry, which may be missing where this is asked.
    """
    return _TAG_OR_DIGEST.sub("", image.rpartition("/")[2]) in SERVING_IMAGES
