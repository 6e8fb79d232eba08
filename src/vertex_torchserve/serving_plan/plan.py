"""One archive, and how it is served: what is proved, registered and deployed is made from this."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.serving.archive.manifest import read_manifest
from vertex_torchserve.serving_plan.container_limits import ContainerLimits
from vertex_torchserve.serving_plan.container_spec import ContainerSpec
from vertex_torchserve.serving_plan.platform_variables import Place, container_environment


@dataclass(frozen=True)
class ServingPlan:
    """An archive and the container that serves it.

    Attributes:
        mar_path: The archive, an absolute path.
        sha256: Its digest, in hexadecimal.
        model_name: The name in its manifest.
        container: How it is served, as it is registered.
        limits: What the container is held to where it is proved; deploying decides it on Vertex AI.
    """

    mar_path: Path
    sha256: str
    model_name: str
    container: ContainerSpec
    limits: ContainerLimits = field(default_factory=ContainerLimits)

    @classmethod
    def of(
        cls,
        mar_path: Path,
        container: ContainerSpec | None = None,
        limits: ContainerLimits | None = None,
    ) -> "ServingPlan":
        """Read the archive's name and digest.

        Args:
            mar_path: The archive.
            container: How it is served; None for TorchServe's own routes, and nothing else set.
            limits: What the container is held to.

        Raises:
            InputError: The archive can't be read, or something in `container` or `limits` can't be used.
        """
        container, limits = container or ContainerSpec(), limits or ContainerLimits()
        raise_problems([*container.problems(), *limits.problems()])
        mar_path = mar_path.absolute()  # its name counts, also where it is a link
        model_name = read_manifest(mar_path).model_name
        return cls(mar_path, digest_of(mar_path), model_name, container, limits)

    @property
    def predict_route(self) -> str:
        """Where predictions are posted: TorchServe's route for the model where the container names none."""
        return self.container.predict_route or predict_route_of(self.model_name)

    @property
    def health_route(self) -> str:
        """What is asked for 200: TorchServe's where the container names none."""
        return self.container.health_route or HEALTH_ROUTE

    def environment(self, storage_uri: str, place: Place | None = None) -> dict[str, str]:
        """Every variable that the container gets on Vertex AI.

        Args:
            storage_uri: The folder that holds the archive.
            place: Where it runs; None for an endpoint with numbers of zeros.
        """
        return container_environment(
            self.container.environment,
            place or Place(),
            port=self.container.port,
            predict_route=self.predict_route,
            health_route=self.health_route,
            storage_uri=storage_uri,
        )

    def require_unchanged(self) -> None:
        """Compare the archive with its digest: what was proved is what is sent.

        Raises:
            InputError: It is another file than when the plan was made.
        """
        if digest_of(self.mar_path) != self.sha256:
            raise InputError(
                Problem(
                    f"{self.mar_path} has changed since it was looked at: its SHA-256 was {self.sha256}",
                    "start again when nobody writes to it",
                )
            )


def digest_of(mar_path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with mar_path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
