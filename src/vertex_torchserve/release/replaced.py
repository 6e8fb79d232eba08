"""What a new archive answers otherwise than the version that it is about to replace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.release.artifact import golden_requests_of
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.report import ReplacedVersion
from vertex_torchserve.vertex_ai import (
    IntendedVersion,
    ModelPlace,
    ModelUpload,
    RegisteredVersion,
    find_versions,
)

if TYPE_CHECKING:
    from vertex_torchserve.golden.compare import InstanceCompared

_DEFAULT = "default"


@dataclass(frozen=True)
class Comparison:
    """The new archive's answers to the golden requests of the version that it replaces.

    Attributes:
        version: The version: the one that loses an alias, else the default version.
        compared: Every recorded answer, with the new one.
        not_compared: Why there is none; empty when there are some.
    """

    version: RegisteredVersion
    compared: "tuple[InstanceCompared, ...]" = ()
    not_compared: str = ""

    @property
    def changed(self) -> int:
        """How many answers changed."""
        return sum(bool(each.differences) for each in self.compared)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "version_id": self.version.version_id,
            "not_compared": self.not_compared or None,
            "changed": self.changed,
            "compared": len(self.compared),
            "instances": [each.as_json() for each in self.compared],
        }

    def for_report(self) -> ReplacedVersion:
        """For a report on the archive."""
        return ReplacedVersion(
            name=f"version {self.version.version_id} of {self.version.display_name}",
            compared=len(self.compared),
            changed=self.changed,
            not_compared=self.not_compared,
            differences=tuple(difference for each in self.compared for difference in each.differences),
        )


def compared_with_replaced(
    plan: ServingPlan, upload: ModelUpload, intended: IntendedVersion
) -> Comparison | None:
    """Ask the new archive what the version that it replaces recorded; it is served in this Python for that.

    What keeps it from being asked keeps nobody from registering it: the result says it.

    Args:
        plan: The new archive, and how it is served.
        upload: What it will be registered as.
        intended: The version that it will be; of one that is there already nothing is asked.

    Returns:
        The comparison; None when no version is replaced.

    Raises:
        RegistryError: When Vertex AI refuses or fails.
    """
    if upload.parent_model is None or intended.already_registered:
        return None
    versions = find_versions(ModelPlace(upload.parent_model, upload.project, upload.location))
    replaced = _replaced(versions, [*upload.version_aliases, _DEFAULT])
    try:
        golden = golden_requests_of(replaced)
        if golden is None:
            return Comparison(replaced, not_compared="it has no golden requests")
        recorded = [request for request in golden.requests if request.predictions is not None]
        if not recorded:
            return Comparison(replaced, not_compared="its golden requests hold no answers")
        # Uploading takes fewer packages than serving.
        from vertex_torchserve.golden.compare import replay
        from vertex_torchserve.golden.model_asked import asked

        with asked(plan) as model:
            return Comparison(replaced, tuple(replay(model, recorded)))
    except VertexTorchServeError as error:
        return Comparison(replaced, not_compared=error.message)
    except ModuleNotFoundError as error:
        missing = f"serving it takes the package {error.name!r}: pip install 'vertex-torchserve[torchserve]'"
        return Comparison(replaced, not_compared=missing)


def _replaced(versions: Sequence[RegisteredVersion], aliases: Sequence[str]) -> RegisteredVersion:
    """The version that has the first of the aliases that any has; every model has a default version."""
    holders = {alias: version for version in versions for alias in version.aliases}
    return next((holders[alias] for alias in aliases if alias in holders), versions[-1])
