"""Which images are this project's own: those of `images/`."""

import re

SERVING_IMAGES = ("torchserve-cpu", "torchserve-gpu")
_TAG_OR_DIGEST = re.compile(r"[:@].*")


def is_serving_image(image: str) -> bool:
    """Whether an image is one of ours, by the last part of its path: `torchserve-cpu` or `torchserve-gpu`.

    Registry, repository, tag and digest are whatever its owner chose. The name is all there is to go by:
    looking into the image would need a registry's credentials where there may be none.
    """
    return _TAG_OR_DIGEST.sub("", image.rpartition("/")[2]) in SERVING_IMAGES
