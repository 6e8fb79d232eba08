"""The compiled KFP components that the package carries, with an image of one's own written into them."""

import re
from enum import StrEnum

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.packaged_files import packaged_file

# A registry's host, a path, then a tag or a digest, as docker and Kubernetes take it.
_IMAGE = re.compile(r"[a-z0-9][\w.:/@-]*")
# A compiled component has one task, and KFP writes its image in a line of its own.
_IMAGE_LINE = re.compile(r"^( +image: )\S+$", re.MULTILINE)


class ComponentName(StrEnum):
    """The components."""

    UPLOAD = "upload"
    SMOKE_TEST = "smoke-test"
    DEPLOY = "deploy"


_FILES = {
    ComponentName.UPLOAD: "component/component.yaml",
    ComponentName.SMOKE_TEST: "component/smoke_test.yaml",
    ComponentName.DEPLOY: "component/deploy.yaml",
}


def component_yaml(name: ComponentName, image: str | None = None) -> str:
    """A component as `kfp.components.load_component_from_text` takes it.

    Args:
        name: Which one.
        image: The image its task runs in; None for the name that it was compiled with.

    Raises:
        InputError: `image` can't be the name of an image.
    """
    text = packaged_file(_FILES[name]).read_text(encoding="utf-8")
    if image is None:
        return text
    if not _IMAGE.fullmatch(image):
        raise InputError(
            Problem(
                f"component image {image!r} is not the name of an image",
                "give it as docker does, such as europe-west2-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG",
            )
        )
    return _IMAGE_LINE.sub(rf"\g<1>{image}", text)
