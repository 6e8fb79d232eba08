"""Ask a registered version its golden requests, where it is deployed or, where it is not, served here."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from vertex_torchserve.golden.compare import InstanceCompared, replay
from vertex_torchserve.golden.model_asked import asked
from vertex_torchserve.release.artifact import fetched_plan
from vertex_torchserve.serving.archive.golden_request import require_model
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.vertex_ai import DeployedVersion, RegisteredVersion


@dataclass(frozen=True)
class Proof:
    """What a version answered.

    Attributes:
        asked_at: The endpoint's resource name, an image, or `this Python`.
        compared: Every answer, with the one that is recorded.
        not_proved: What of the version this says nothing about, in words.
    """

    asked_at: str
    compared: tuple[InstanceCompared, ...]
    not_proved: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """How many answers are not those that are recorded."""
        return sum(bool(each.differences) for each in self.compared)


def proved_on_endpoint(deployed: DeployedVersion, golden: RequestFile) -> Proof:
    """Ask a version through its endpoint.

    Args:
        deployed: Where it is deployed, with some traffic.
        golden: What to ask, and the answers.

    Raises:
        ServingError: A request is not answered.
    """
    return Proof(deployed.endpoint, tuple(replay(deployed.asked(), golden.requests)))


def proved_here(
    version: RegisteredVersion, golden: RequestFile, *, image: str | None, ready_timeout_seconds: float
) -> Proof:
    """Fetch a version's archive, serve it as it is registered, and ask it.

    Args:
        version: The version.
        golden: What to ask, and the answers.
        image: Serve it in a container of this image; None for this Python, without Docker.
        ready_timeout_seconds: How long the model may take to load.

    Raises:
        InputError: The archive can't be had, or is not the one that was registered.
        ServingError: It is never ready, or a request is not answered.
        DockerError: When there is no engine, or no such image.
    """
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        plan = fetched_plan(version, Path(folder))
        require_model(golden, plan.model_name, GOLDEN_REQUEST_NAME)
        registered = plan.container
        plan = replace(plan, container=replace(registered, image=image or registered.image))
        with asked(plan, in_container=bool(image), ready_timeout_seconds=ready_timeout_seconds) as model:
            compared = tuple(replay(model, golden.requests))
    if image:
        other = image != registered.image
        return Proof(image, compared, (f"the image {registered.image}",) if other else ())
    unproved = {
        f"the image {registered.image}": registered.image,
        "its command": registered.command,
        "its args": registered.args,
    }
    return Proof("this Python", compared, tuple(name for name, there in unproved.items() if there))
