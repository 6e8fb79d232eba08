"""Prove that a model archive serves: start it, wait until it is ready, predict, compare the answer.

The archive runs in the server that the images run (`serving/entrypoint.py`) with no Docker, or in a container
of any image that keeps Vertex AI's contract.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from vertex_torchserve.container_server import ContainerServer
from vertex_torchserve.errors import InputError, Problem, ServingError
from vertex_torchserve.serving.archive import GOLDEN_REQUEST_NAME, read_manifest, verify_members
from vertex_torchserve.serving.golden_request import GoldenRequest
from vertex_torchserve.serving.process import ServingProcess
from vertex_torchserve.serving_images import is_serving_image

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

    def failure_reason(self) -> str:
        """Why the model could not load or answer; empty when nothing says so."""

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output."""

    def stop(self) -> int:
        """End it; returns its exit code."""


@dataclass(frozen=True)
class Check:
    """One thing the smoke test looked at.

    Attributes:
        name: `archive`, `ready`, `status`, `json`, `predictions` or `stopped`.
        ok: Whether it is as it must be.
        detail: What was seen.
    """

    name: str
    ok: bool
    detail: str


@dataclass
class SmokeTestReport:
    """What was seen.

    Attributes:
        mar_path: The archive.
        model_name: The name it was served under.
        image: The image it was served in; None for a process with no Docker.
        ready_seconds: From the start until it was ready; None when it never was.
        checks: In the order in which they were made; the first that fails is the last.
        predictions: What the model answered, one for each instance; empty when it did not.
    """

    mar_path: Path
    model_name: str
    image: str | None = None
    ready_seconds: float | None = None
    checks: list[Check] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the archive served right."""
        return all(check.ok for check in self.checks)

    def failure(self) -> str:
        """What failed and how; empty when nothing did."""
        return "\n".join(f"{check.name}: {check.detail}" for check in self.checks if not check.ok)

    def as_json(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "mar_path": str(self.mar_path),
            "model_name": self.model_name,
            "image": self.image,
            "ok": self.ok,
            "ready_seconds": self.ready_seconds,
            "checks": [vars(check) for check in self.checks],
            "predictions": self.predictions,
        }


def read_instances(path: Path) -> list[Any]:
    """Read instances from a file: a JSON list, a request with `instances`, or JSONL (one a line).

    Raises:
        InputError: When the file is not there, is none of these, or holds no instance.
    """
    if not path.is_file():
        raise InputError(Problem(f"instances file {str(path)!r} does not exist", "correct the path"))
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            content = json.loads(text)
    except ValueError as error:
        raise InputError(
            Problem(
                f"{path} is not JSON: {error}", "give a JSON list of instances, or a .jsonl with one a line"
            )
        ) from error
    instances = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(instances, list) or not instances:
        raise InputError(
            Problem(
                f"{path} holds {_shape(content)}; a JSON list of at least one instance is needed",
                'write [...] or {"instances": [...]}, or a .jsonl with one instance a line',
            )
        )
    return instances


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
        with _recorded(report, "ready") as seen:
            report.ready_seconds = round(server.wait_ready(ready_timeout_seconds), 3)
            seen.append(f"ready after {report.ready_seconds} s")
        if report.ok:
            _check_prediction(report, server, request)
        code = server.stop()
    # How a foreign image stops is its own affair; the contract says nothing of it.
    if report.ok and (image is None or is_serving_image(image)):
        report.checks.append(Check("stopped", code in (0, 143), f"exit code {code} after SIGTERM"))
    return report


def _serving(report: SmokeTestReport) -> AbstractContextManager[Server]:
    """The archive's server, just started."""
    environment = {
        "MODEL_NAME": report.mar_path.stem,
        # The instances are the tester's own, so what an exception says of them is no secret.
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
    with _recorded(report, "status") as seen:
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
                f"{server.failure_reason() or server.log_tail()}"
            )
        seen.append(f"status 200 in {response.elapsed.total_seconds():.3f} s")
    if not report.ok:
        return
    with _recorded(report, "json") as seen:
        try:
            answer = response.json()
        except ValueError as error:
            raise ServingError(f"the body is not JSON: {response.text[:_SHOWN_CHARACTERS]!r}") from error
        seen.append(f"{len(response.content)} bytes of JSON")
    if report.ok:
        with _recorded(report, "predictions") as seen:
            if difference := request.difference(response.content):
                raise ServingError(difference)
            report.predictions = answer["predictions"]
            seen.append(f"{len(report.predictions)} predictions for {len(request.instances)} instances")
            if request.predictions is not None:
                seen.append(f"those that {GOLDEN_REQUEST_NAME} expects")


@contextmanager
def _recorded(report: SmokeTestReport, name: str) -> Iterator[list[str]]:
    """Add a check to the report: passed with what the block saw, or failed with what it raised."""
    seen: list[str] = []
    try:
        yield seen
    except ServingError as error:
        report.checks.append(Check(name, False, error.message.strip()))
    else:
        report.checks.append(Check(name, True, "; ".join(seen)))


def _shape(content: Any) -> str:
    if isinstance(content, dict):
        return f"an object with the keys {sorted(content)[:10]}"
    return f"a list of {len(content)}" if isinstance(content, list) else f"a {type(content).__name__}"
