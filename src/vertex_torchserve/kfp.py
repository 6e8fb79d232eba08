"""The components for pipelines of KFP; needs `pip install 'vertex-torchserve[kfp]'` and no checkout.

    from vertex_torchserve.kfp import upload_pytorch_model

Their tasks run in an image of your own (component/README.md says how it is published), which is named by

- the environment variable `COMPONENT_IMAGE`, read when this module is imported;
- the argument `component_image`: `upload_pytorch_model(component_image="...", project_id="...", ...)`;
- KFP's `task.set_container_image("...")`, which also takes an input of the pipeline.

Without any it is `vertex-torchserve-component:dev`, which `vertex-torchserve images build component` makes on
this machine, and no other machine can pull.
"""

import os
from typing import Any

from kfp import components, dsl

from vertex_torchserve.component.artifacts import VertexEndpoint, VertexModel
from vertex_torchserve.component_yaml import ComponentName, component_yaml

IMAGE_VARIABLE = "COMPONENT_IMAGE"


class PackagedComponent(components.YamlComponent):  # type: ignore[misc] # kfp is untyped
    """A component of this package, called as each component of KFP is.

    Args:
        name: Which one.
        image: The image its tasks run in; None for the one it was compiled with.
    """

    def __init__(self, name: ComponentName, image: str | None) -> None:
        loaded = components.load_component_from_text(component_yaml(name, image))
        super().__init__(loaded.component_spec, loaded.component_yaml)
        self._name = name

    def __call__(self, *, component_image: str | None = None, **inputs: Any) -> dsl.PipelineTask:
        """A task of the pipeline that is being defined.

        Args:
            component_image: The image that it runs in, in place of the component's.
            inputs: The component's inputs (component/README.md).

        Raises:
            InputError: `component_image` can't be the name of an image.
            TypeError: An input is missing, or there is none of that name.
        """
        if component_image is None:
            return super().__call__(**inputs)
        return PackagedComponent(self._name, component_image)(**inputs)


_IMAGE = os.environ.get(IMAGE_VARIABLE) or None

upload_pytorch_model = PackagedComponent(ComponentName.UPLOAD, _IMAGE)
"""Package a trained model, prove that it serves, and register it: from a folder to a `google.VertexModel`."""

smoke_test_pytorch_model = PackagedComponent(ComponentName.SMOKE_TEST, _IMAGE)
"""Prove that an archive serves, before a pipeline registers it by other means."""

deploy_pytorch_model = PackagedComponent(ComponentName.DEPLOY, _IMAGE)
"""Deploy a `google.VertexModel`; it gets its traffic once it has answered its golden requests."""

__all__ = [
    "PackagedComponent",
    "VertexEndpoint",
    "VertexModel",
    "deploy_pytorch_model",
    "smoke_test_pytorch_model",
    "upload_pytorch_model",
]
