"""The serving container of a model version: a prebuilt one of Google's, or the user's own image.

Routes, ports and environment variables count with a custom container, command and args with a prebuilt one,
as the table of inputs in component/README.md says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.resource_rules.prebuilt_containers import (
    DEFAULT_IMAGE_URI,
    PREBUILT_MODEL_NAME,
    is_prebuilt,
    nearest_available,
)
from vertex_torchserve.serving.image_names import SERVING_IMAGES, is_serving_image
from vertex_torchserve.serving_plan import ContainerSpec
from vertex_torchserve.serving_plan.probes import probes_of

_ARTIFACT_REGISTRY = re.compile(r"^(?P<region>[a-z0-9-]+)-docker\.pkg\.dev/")


@dataclass(frozen=True)
class ServingContainer:
    """How a model version is to be served, in the terms of the component's inputs.

    Attributes:
        model_name: The archive's.
        custom_container: An image of the user's own, not one of Google's prebuilt ones.
        serving_container_image_uri: The image.
        health_route: `/ping`; any path with an image of this project, which answers what Vertex AI asks.
        predict_route: `/predictions/<model_name>`; likewise.
        serving_container_ports: Custom container only.
        serving_environment_vars: Custom container only.
        serving_container_args: Prebuilt container only.
        serving_container_command: Prebuilt container only.
    """

    model_name: str
    custom_container: bool = False
    serving_container_image_uri: str = DEFAULT_IMAGE_URI
    health_route: str = HEALTH_ROUTE
    predict_route: str = predict_route_of(PREBUILT_MODEL_NAME)
    serving_container_ports: Sequence[Any] = ()
    serving_environment_vars: Mapping[str, Any] = field(default_factory=dict)
    serving_container_args: Sequence[Any] = ()
    serving_container_command: Sequence[Any] = ()

    def problems(self) -> list[Problem]:
        """What can't be served like this."""
        problems: list[Problem] = []
        image = self.serving_container_image_uri
        if not self.custom_container and self.model_name != PREBUILT_MODEL_NAME:
            problems.append(
                Problem(
                    f"model_name {self.model_name!r} with a prebuilt container, which only loads "
                    f"{PREBUILT_MODEL_NAME}.mar",
                    f"use model_name={PREBUILT_MODEL_NAME!r}, or custom_container=True with your own image",
                )
            )
        if self.custom_container and is_prebuilt(image):
            problems.append(
                Problem(
                    f"custom_container=True, but {image} is one of Google's prebuilt containers",
                    "give your own image as serving_container_image_uri, or set custom_container=False",
                )
            )
        if not self.custom_container and not is_prebuilt(image):
            problems.append(
                Problem(
                    f"custom_container=False, but {image!r} is not a prebuilt PyTorch container of Google's",
                    "set custom_container=True",
                )
            )
        return [*problems, *self._route_problems()]

    def _route_problems(self) -> Iterator[Problem]:
        """Routes that TorchServe does not have; this project's images answer on any."""
        predict_route = predict_route_of(self.model_name)
        if self.custom_container and is_serving_image(self.serving_container_image_uri):
            return
        if self.predict_route != predict_route:
            yield Problem(
                f"predict_route {self.predict_route!r} is not TorchServe's route for model "
                f"{self.model_name!r}, and only images named {' or '.join(SERVING_IMAGES)} serve others",
                f"use {predict_route!r}",
            )
        if self.health_route != HEALTH_ROUTE:
            yield Problem(
                f"health_route {self.health_route!r} is not TorchServe's health route, and only images named "
                f"{' or '.join(SERVING_IMAGES)} serve others",
                f"use {HEALTH_ROUTE!r}",
            )

    def container_spec(self, today: date) -> ContainerSpec:
        """How it is registered, and proved.

        Args:
            today: For the choice of a prebuilt image.
        """
        image, _ = nearest_available(self.serving_container_image_uri, today)
        if not self.custom_container:
            return ContainerSpec(
                image, command=self.serving_container_command, args=self.serving_container_args
            )
        startup_probe, health_probe = probes_of(image)
        return ContainerSpec(
            image,
            predict_route=self.predict_route,
            health_route=self.health_route,
            ports=self.serving_container_ports,
            environment=self.serving_environment_vars,
            startup_probe=startup_probe,
            health_probe=health_probe,
        )

    def warnings(self, location: str, today: date) -> list[str]:
        """What will be ignored, replaced, or probably refused later.

        Args:
            location: The model's region.
            today: For the wording about prebuilt images.
        """
        _, warnings = nearest_available(self.serving_container_image_uri, today)
        ignored = {
            "serving_container_args": self.custom_container and self.serving_container_args,
            "serving_container_command": self.custom_container and self.serving_container_command,
            "serving_container_ports": not self.custom_container and self.serving_container_ports,
            "serving_environment_vars": not self.custom_container and self.serving_environment_vars,
        }
        warnings += [
            f"{name} is ignored with custom_container={self.custom_container}"
            for name, value in ignored.items()
            if value
        ]
        if not self.custom_container and (self.serving_container_args or self.serving_container_command):
            warnings.append("Google does not say whether prebuilt containers honour a command or args")
        registry = _ARTIFACT_REGISTRY.match(self.serving_container_image_uri)
        if self.custom_container and registry and registry["region"] != location:
            warnings.append(
                f"the image lies in {registry['region']}, the model in {location}: Vertex AI wants both in "
                "the same region (custom container requirements)"
            )
        return warnings
