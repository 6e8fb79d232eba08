"""One archive, and how it is served: what is proved, registered and deployed is made from this."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.serving.archive.manifest import read_manifest
from vertex_torchserve.serving_plan.container_limits import ContainerLimits
from vertex_torchserve.serving_plan.container_spec import ContainerSpec
from vertex_torchserve.serving_plan.platform_variables import Place, container_environment
from vertex_torchserve.serving_plan.sums import sums_of

# A smaller archive is summed again whenever it is to be unchanged: the time of a change is written down in
# steps of up to 10 ms, which is less than it takes to sum a larger one.
_SUMMED_AGAIN_BYTES = 32 << 20


class _Version(NamedTuple):
    """What tells one content of a file from another: nobody can set the time of its last change."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> "_Version":
        found = path.stat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)


@dataclass(frozen=True)
class ServingPlan:
    """An archive and the container that serves it.

    Attributes:
        mar_path: The archive, an absolute path.
        sha256: Its digest, in hexadecimal.
        model_name: The name in its manifest.
        container: How it is served, as it is registered.
        limits: What the container is held to where it is proved; deploying decides it on Vertex AI.
        crc32c: The archive's checksum as Cloud Storage writes it; None where only the digest was given.
    """

    mar_path: Path
    sha256: str
    model_name: str
    container: ContainerSpec
    limits: ContainerLimits = field(default_factory=ContainerLimits)
    crc32c: str | None = None
    _version: _Version | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        mar_path: Path,
        container: ContainerSpec | None = None,
        limits: ContainerLimits | None = None,
        *,
        sha256: str | None = None,
        crc32c: str | None = None,
    ) -> "ServingPlan":
        """Read the archive's name and digest.

        Args:
            mar_path: The archive.
            container: How it is served; None for TorchServe's own routes, and nothing else set.
            limits: What the container is held to.
            sha256: The digest, where the archive has just been written by this process; None to read it.
            crc32c: Its checksum as Cloud Storage writes it, likewise.

        Raises:
            InputError: The archive can't be read, or something in `container` or `limits` can't be used.
        """
        container, limits = container or ContainerSpec(), limits or ContainerLimits()
        raise_problems([*container.problems(), *limits.problems()])
        mar_path = mar_path.absolute()  # its name counts, also where it is a link
        model_name = read_manifest(mar_path).model_name
        version = _Version.of(mar_path)  # before it is summed
        if sha256 is None:
            sha256, crc32c = sums_of(mar_path)
        return cls(mar_path, sha256, model_name, container, limits, crc32c, version)

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

        A large one is read only when it is another file, or was written to, since the plan was made.

        Raises:
            InputError: It is another file than when the plan was made.
        """
        version = _Version.of(self.mar_path)
        if version.size > _SUMMED_AGAIN_BYTES and version == self._version:
            return
        if sums_of(self.mar_path).sha256 != self.sha256:
            raise InputError(
                Problem(
                    f"{self.mar_path} has changed since it was looked at: its SHA-256 was {self.sha256}",
                    "start again when nobody writes to it",
                )
            )
