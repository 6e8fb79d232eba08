"""Prove that a model archive serves: start it, wait until it is ready, predict, compare the answer.

The archive runs in the server that the images run (`serving/entrypoint.py`) with no Docker, or in a container
of any image that keeps Vertex AI's contract.
"""

import hashlib
import time
import zipfile
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.errors import InputError, Problem, ServingError
from vertex_torchserve.serving.archive.bounded_text import UnreadableError
from vertex_torchserve.serving.archive.golden_request import GoldenRequest, read_answer
from vertex_torchserve.serving.archive.manifest import read_manifest, verify_members
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.local_server import ServingProcess
from vertex_torchserve.serving.log.phases import ServerLog
from vertex_torchserve.smoke_test.container_server import ContainerServer
from vertex_torchserve.smoke_test.load_run import run_load
from vertex_torchserve.smoke_test.recording import Recording
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.smoke_test.versions import versions_here, versions_in

READY_TIMEOUT_SECONDS = 600.0
# What a shared Vertex AI endpoint waits for a prediction (choose-endpoint-type).
PREDICT_TIMEOUT_SECONDS = 60.0
_SHOWN_CHARACTERS = 500


class Server(Protocol):
    """What the smoke test asks: a process or a container that serves one archive.

    Attributes:
        started_at: When it was started.
    """

    started_at: datetime

    @property
    def base_url(self) -> str:
        """Where predictions are answered."""

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until ready; a ServingError when it never is."""

    def failure_reason(self, request_id: str) -> str:
        """Why the request with this `x-request-id` failed; empty when nothing says so."""

    def log(self) -> str:
        """All of its output so far."""

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
    with_load: bool = False,
) -> SmokeTestReport:
    """Serve an archive and check that it answers as many predictions as there are instances.

    Args:
        mar_path: The archive.
        instances: What to predict, at least one; None for the archive's golden request, whose predictions,
            where it has some, are compared too.
        image: The image to serve it in; None for a process with no Docker.
        ready_timeout_seconds: How long the model may take to load.
        with_load: Whether it is asked by rising numbers of clients as well, for some five seconds.

    Raises:
        InputError: When the archive can't be read at all, or there is nothing to ask it; everything else is
            in the report.
        DockerError: When there is no engine, or no such image.
    """
    began, started_at = time.monotonic(), _now()
    mar_path = mar_path.resolve()
    manifest = read_manifest(mar_path)
    recording = Recording()
    with recording.check("archive") as seen:
        verify_members(mar_path)
        seen.append(f"{mar_path.stat().st_size} bytes, every member intact")
    request = _golden_request_of(mar_path) if instances is None else GoldenRequest(instances)
    with _serving(mar_path, manifest.model_name, image) as server:
        with recording.check("ready") as seen:
            recording.ready_seconds = round(server.wait_ready(ready_timeout_seconds), 3)
            seen.append(f"ready after {recording.ready_seconds} s")
        url = f"{server.base_url}/predictions/{manifest.model_name}" if recording.ok else ""
        if recording.ok:
            _check_prediction(recording, server, url, request)
        if recording.ok and with_load:
            recording.load = tuple(run_load(url, [request.body()]))
        log = ServerLog.of(server.log(), server.started_at, datetime.now(UTC))
        versions = versions_in(server.container) if isinstance(server, ContainerServer) else versions_here()
        # Vertex AI's contract says nothing of how a container stops, so only our own images are checked.
        if recording.ok and (image is None or is_serving_image(image)):
            _check_stop(recording, server)
    return SmokeTestReport(
        mar_path=mar_path,
        model_name=manifest.model_name,
        image=image,
        size_bytes=mar_path.stat().st_size,
        sha256=_sha256(mar_path),
        started_at=started_at,
        seconds=round(time.monotonic() - began, 3),
        ready_seconds=recording.ready_seconds,
        checks=tuple(recording.checks),
        phases=recording.phases(log.phases),
        load=recording.load,
        findings=check_path(str(mar_path)).findings,
        log_problems=log.problems,
        sizing=log.sizing,
        versions=versions,
        predictions=recording.predictions,
    )


def untested(mar_path: Path) -> SmokeTestReport:
    """The report on an archive that nobody asks to serve: what reading it finds.

    Args:
        mar_path: The archive.

    Raises:
        InputError: When it can't be read.
    """
    return SmokeTestReport(
        mar_path=mar_path,
        model_name=read_manifest(mar_path).model_name,
        size_bytes=mar_path.stat().st_size,
        sha256=_sha256(mar_path),
        started_at=_now(),
        findings=check_path(str(mar_path)).findings,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _serving(mar_path: Path, model_name: str, image: str | None) -> AbstractContextManager[Server]:
    """The archive's server, which has just been started."""
    environment = {
        "MODEL_NAME": mar_path.stem,
        # The instances come from the person who runs the test, so exceptions may quote them.
        "VTS_LOG_EXCEPTION_MESSAGES": "1",
        # One worker proves as much as several, and is ready sooner.
        "VTS_WORKERS": "1",
    }
    if image is None:
        return ServingProcess({**environment, "AIP_STORAGE_URI": str(mar_path.parent)})
    routes = {"AIP_HEALTH_ROUTE": "/ping", "AIP_PREDICT_ROUTE": f"/predictions/{model_name}"}
    return ContainerServer.start(image, mar_path, {**environment, **routes})


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


def _check_prediction(recording: Recording, server: Server, url: str, request: GoldenRequest) -> None:
    with recording.check("status") as seen:
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
        recording.first_answer_seconds = round(response.elapsed.total_seconds(), 3)
        seen.append(f"status 200 in {recording.first_answer_seconds:.3f} s")
    if not recording.ok:
        return
    with recording.check("json") as seen:
        try:
            answer = read_answer(response.content)
        except UnreadableError as error:
            raise ServingError(f"the body is not JSON: {response.text[:_SHOWN_CHARACTERS]!r}") from error
        seen.append(f"{len(response.content)} bytes of JSON")
    if recording.ok:
        with recording.check("predictions") as seen:
            if difference := request.difference(response.content):
                raise ServingError(difference)
            recording.predictions = answer["predictions"]
            seen.append(f"{len(recording.predictions)} predictions for {len(request.instances)} instances")
            if request.predictions is not None:
                seen.append(f"those that {GOLDEN_REQUEST_NAME} expects")


def _check_stop(recording: Recording, server: Server) -> None:
    with recording.check("stopped") as seen:
        code = server.stop()
        if code not in (0, 143):
            raise ServingError(f"exit code {code} after SIGTERM; 0 or 143 is needed")
        seen.append(f"exit code {code} after SIGTERM")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
