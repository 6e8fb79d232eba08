"""Prove that a model archive serves: start it, wait until it is ready, predict, compare the answer.

The archive runs in the server that the images run (`serving/entrypoint.py`) with no Docker, or in a container
of any image that keeps Vertex AI's contract.
"""

import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import httpx

from vertex_torchserve.errors import InputError, Problem, ServingError
from vertex_torchserve.serving.archive.bounded_text import UnreadableError
from vertex_torchserve.serving.archive.golden_request import GoldenRequest, read_answer
from vertex_torchserve.serving.archive.manifest import read_manifest, verify_members
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.local_server import ServingProcess
from vertex_torchserve.smoke_test.container_server import ContainerServer
from vertex_torchserve.smoke_test.report import Check, SmokeTestReport, recorded

READY_TIMEOUT_SECONDS = 600.0
# What a shared Vertex AI endpoint waits for a prediction (choose-endpoint-type).
PREDICT_TIMEOUT_SECONDS = 60.0
_SHOWN_CHARACTERS = 500


class Server(Protocol):
    """What the smoke test asks: a process or a container that serves one archive."""

    @property
    def base_url(self) -> str:
        """Where predictions are answered."""

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until ready; a ServingError when it never is."""

    def failure_reason(self, request_id: str) -> str:
        """Why the request with this `x-request-id` failed; empty when nothing says so."""

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output."""

    def stop(self) -> int:
        """End it; returns its exit code."""


def run_smoke_test(
    mar_path: Path,
    instances: list[Any] | None = None,
    *,
    image: str | None = None,
    ready_timeout_seconds: float = READY_TIMEOUT_SECONDS,
) -> SmokeTestReport:
    """Serve an archive and check that it answers as many predictions as there are instances.

    Args:
        mar_path: The archive.
        instances: What to predict, at least one; None for the archive's golden request, whose predictions,
            where it has some, are compared too.
        image: The image to serve it in; None for a process with no Docker.
        ready_timeout_seconds: How long the model may take to load.

    Raises:
        InputError: When the archive can't be read at all, or there is nothing to ask it; everything else is
            in the report.
        DockerError: When there is no engine, or no such image.
    """
    mar_path = mar_path.resolve()
    manifest = read_manifest(mar_path)
    verify_members(mar_path)
    request = _golden_request_of(mar_path) if instances is None else GoldenRequest(instances)
    report = SmokeTestReport(mar_path, manifest.model_name, image)
    report.checks.append(Check("archive", True, f"{mar_path.stat().st_size} bytes, every member intact"))
    with _serving(report) as server:
        with recorded(report, "ready") as seen:
            report.ready_seconds = round(server.wait_ready(ready_timeout_seconds), 3)
            seen.append(f"ready after {report.ready_seconds} s")
        if report.ok:
            _check_prediction(report, server, request)
        code = server.stop()
    # Vertex AI's contract says nothing of how a container stops, so only our own images are checked.
    if report.ok and (image is None or is_serving_image(image)):
        report.checks.append(Check("stopped", code in (0, 143), f"exit code {code} after SIGTERM"))
    return report


def _serving(report: SmokeTestReport) -> AbstractContextManager[Server]:
    """The archive's server, which has just been started."""
    environment = {
        "MODEL_NAME": report.mar_path.stem,
        # The instances come from the person who runs the test, so exceptions may quote them.
        "VTS_LOG_EXCEPTION_MESSAGES": "1",
        # One worker proves as much as several, and is ready sooner.
        "VTS_WORKERS": "1",
    }
    if report.image is None:
        return ServingProcess({**environment, "AIP_STORAGE_URI": str(report.mar_path.parent)})
    routes = {"AIP_HEALTH_ROUTE": "/ping", "AIP_PREDICT_ROUTE": f"/predictions/{report.model_name}"}
    return ContainerServer.start(report.image, report.mar_path, {**environment, **routes})


def _golden_request_of(mar_path: Path) -> GoldenRequest:
    with zipfile.ZipFile(mar_path) as archive:
        if GOLDEN_REQUEST_NAME in archive.namelist():
            return GoldenRequest.parse(archive.read(GOLDEN_REQUEST_NAME))
    raise InputError(
        Problem(
            f"no instances are given, and {mar_path} holds no {GOLDEN_REQUEST_NAME}",
            "give a file with --instances, or package the model with --golden-request",
        )
    )


def _check_prediction(report: SmokeTestReport, server: Server, request: GoldenRequest) -> None:
    url = f"{server.base_url}/predictions/{report.model_name}"
    with recorded(report, "status") as seen:
        try:
            response = httpx.post(
                url,
                content=request.body(),
                headers={"Content-Type": "application/json"},
                timeout=PREDICT_TIMEOUT_SECONDS,
                trust_env=False,  # loopback, whatever proxy the environment names
            )
        except httpx.HTTPError as error:
            raise ServingError(f"no answer within {PREDICT_TIMEOUT_SECONDS:g} s: {error!r}") from error
        if response.status_code != 200:
            raise ServingError(
                f"status {response.status_code}, 200 is needed: {response.text[:_SHOWN_CHARACTERS]}\n"
                f"{server.failure_reason(response.headers.get('x-request-id', '')) or server.log_tail()}"
            )
        seen.append(f"status 200 in {response.elapsed.total_seconds():.3f} s")
    if not report.ok:
        return
    with recorded(report, "json") as seen:
        try:
            answer = read_answer(response.content)
        except UnreadableError as error:
            raise ServingError(f"the body is not JSON: {response.text[:_SHOWN_CHARACTERS]!r}") from error
        seen.append(f"{len(response.content)} bytes of JSON")
    if report.ok:
        with recorded(report, "predictions") as seen:
            if difference := request.difference(response.content):
                raise ServingError(difference)
            report.predictions = answer["predictions"]
            seen.append(f"{len(report.predictions)} predictions for {len(request.instances)} instances")
            if request.predictions is not None:
                seen.append(f"those that {GOLDEN_REQUEST_NAME} expects")
