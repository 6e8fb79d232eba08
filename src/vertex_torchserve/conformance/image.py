"""Check an image: its input, what it is to serve, and what it is asked."""

import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve import docker
from vertex_torchserve.conformance.check import Check
from vertex_torchserve.conformance.container import ContainerLauncher
from vertex_torchserve.conformance.echo_archive import ECHO_REQUEST, write_echo_archive
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.report import ConformanceReport
from vertex_torchserve.conformance.run import run_conformance
from vertex_torchserve.conformance.server import DEFAULT_HEALTH_ROUTE, DEFAULT_PREDICT_ROUTE, Conditions
from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.image_presence import image_problems
from vertex_torchserve.serving.archive.golden_request import packed_golden_requests
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving_plan import ContainerSpec


@dataclass(frozen=True)
class ImageToCheck:
    """An image, and how its model would be registered.

    Attributes:
        container: The image, port, routes and environment; routes that it does not name are Vertex AI's own.
        artifact: What the image serves, a .mar or a folder. None: what is in the image; for our own images,
            which have nothing in them, an archive whose model answers each instance with itself.
        request: What the model can answer. None: the first golden request of the artifact, else two
            short texts.
    """

    container: ContainerSpec
    artifact: Path | None = None
    request: PredictionRequest | None = None

    def problems(self) -> list[Problem]:
        """What is wrong with it, as far as can be told without the engine."""
        found = list(self.container.problems())
        if self.artifact is not None and not self.artifact.exists():
            found.append(Problem(f"artifact {str(self.artifact)!r} does not exist", "correct the path"))
        return found


def check_image(
    image: ImageToCheck,
    *,
    ready_seconds: float,
    progress: Callable[[Check], None] = lambda _: None,
    problems: Sequence[Problem] = (),
) -> ConformanceReport:
    """Start containers of an image and check them against Vertex AI's contract.

    Args:
        image: The image.
        ready_seconds: How long its model may take to load.
        progress: Called with each check before it is made.
        problems: What is wrong with the caller's other input, told with what is found here.

    Raises:
        InputError: When there is no engine, no such image, or anything else is wrong with the input.
    """
    raise_problems([*problems, *image.problems(), *_engine_problems(image.container.image)])
    spec = image.container
    conditions = Conditions(
        spec.port, spec.health_route or DEFAULT_HEALTH_ROUTE, spec.predict_route or DEFAULT_PREDICT_ROUTE
    )
    with tempfile.TemporaryDirectory(prefix="vts-") as scratch:
        artifact = image.artifact
        if artifact is None and is_serving_image(spec.image):
            Path(scratch).chmod(0o755)  # a container's user reads what lies in it
            artifact = write_echo_archive(Path(scratch))
        launcher = ContainerLauncher(spec.image, spec.port, artifact, _texts(spec.environment))
        request = image.request or _golden_request_of(artifact) or ECHO_REQUEST
        limits = Limits(ready=ready_seconds)
        return run_conformance(spec.image, launcher, request, conditions, limits=limits, progress=progress)


def _engine_problems(image: str) -> list[Problem]:
    try:
        docker.engine_version()
    except docker.DockerError as error:
        return [Problem(error.message, error.fix or "start the Docker engine")]
    return image_problems(image)


def _golden_request_of(artifact: Path | None) -> PredictionRequest | None:
    if artifact is None or not zipfile.is_zipfile(artifact):
        return None
    golden = packed_golden_requests(artifact)
    return golden.requests[0] if golden else None


def _texts(environment: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in environment.items()}
