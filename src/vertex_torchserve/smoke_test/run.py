"""Prove that a model archive serves: start it, wait until it is ready, predict, compare the answer.

It is served as its plan says, which is what is registered: in the server that the images run
(`serving/entrypoint.py`) with no Docker, or in a container of any image that keeps Vertex AI's contract.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from vertex_torchserve.archive_check.image_modules import listed_for
from vertex_torchserve.errors import InputError, Problem, ServingError
from vertex_torchserve.handler_interface.requirement import require_answerable, usable_golden_requests
from vertex_torchserve.serving.archive.bounded_text import UnreadableError
from vertex_torchserve.serving.archive.manifest import verify_members
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest, read_answer
from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.log.phases import ServerLog
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.container_server import ContainerServer
from vertex_torchserve.smoke_test.image_comparison import this_python
from vertex_torchserve.smoke_test.load_run import run_load
from vertex_torchserve.smoke_test.locked_environment.environment import LockedPython
from vertex_torchserve.smoke_test.recording import Recording
from vertex_torchserve.smoke_test.registered_image import Inventory, findings_in, put_beside
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.smoke_test.served_plan import Server, served
from vertex_torchserve.smoke_test.versions import versions_in, versions_of

READY_TIMEOUT_SECONDS = 600.0
# What a shared Vertex AI endpoint waits for a prediction (choose-endpoint-type).
PREDICT_TIMEOUT_SECONDS = 60.0
_SHOWN_CHARACTERS = 500


def run_smoke_test(
    plan: ServingPlan,
    requests: Sequence[PredictionRequest] | None = None,
    *,
    in_container: bool = False,
    python: LockedPython | None = None,
    inventory: Inventory = "listed",
    like_vertex: bool = False,
    ready_timeout_seconds: float = READY_TIMEOUT_SECONDS,
    with_load: bool = False,
) -> SmokeTestReport:
    """Serve an archive and check that it answers as many predictions as there are instances.

    Args:
        plan: The archive, and how it is served.
        requests: What to ask, at least one; None for the archive's golden requests. Predictions are compared
            where a request has some.
        in_container: Serve it in a container of the plan's image; else in a process with no Docker.
        python: The environment that serves it with no Docker; the Python that runs this when None.
        inventory: What the image has that the archive is to be registered with. A process is compared with
            it, and none is started where the image lacks what the archive needs. A container is the image.
        like_vertex: Serve it with as many workers as on a machine of Vertex AI, and not with one.
        ready_timeout_seconds: How long the model may take to load.
        with_load: Whether it is asked by rising numbers of clients as well, for some five seconds.

    Raises:
        InputError: When the archive can't be read at all, there is nothing to ask it or what there is is of
            another model or task, or the plan has limits that take a container; everything else is in the
            report.
        DockerError: When there is no engine, or no such image.
    """
    began = time.monotonic()
    if not in_container and plan.limits.given():
        raise InputError(_needs_a_container(plan.limits.given()))
    report = replace(
        _before(plan),
        image=plan.container.image if in_container else None,
        lock=python.lock.name if python else None,
    )
    recording = Recording()
    with recording.check("archive") as seen:
        if in_container:  # else our server compares each member with its checksum when it unpacks it
            verify_members(plan.mar_path)
            seen.append(f"{report.size_bytes} bytes, every member intact")
        else:
            seen.append(f"{report.size_bytes} bytes, checked where it is unpacked")
    if requests:
        require_answerable(plan.mar_path, requests, "what is asked")
    else:
        requests = _golden_requests(plan)
    here = python.modules() if python else this_python()
    beside = findings_in(plan, None) if in_container else put_beside(plan, here, inventory, recording)
    report = replace(
        report,
        findings=beside.findings,
        comparison=beside.comparison,
        not_covered=beside.not_covered,
    )
    if recording.has_failed("image"):
        return _ended(report, recording, began)
    program = python.program if python else None
    with served(plan, in_container=in_container, python=program, like_vertex=like_vertex) as server:
        with recording.check("ready") as seen:
            # Vertex AI gives a deployment up after the model's own time-out.
            patience = min(ready_timeout_seconds, plan.container.deployment_timeout or ready_timeout_seconds)
            recording.ready_seconds = round(server.wait_ready(patience), 3)
            seen.append(f"ready after {recording.ready_seconds} s")
            _require_healthy(f"{server.base_url}{plan.health_route}")
        if recording.ok and isinstance(server, ContainerServer):
            _check_probes(recording, server, plan)
        url = f"{server.base_url}{plan.predict_route}" if recording.ok else ""
        for request in requests:
            if recording.ok:
                _check_prediction(recording, server, url, request)
        if recording.ok and with_load:
            recording.load = tuple(run_load(url, [request.body() for request in requests]))
        log = ServerLog.of(server.log(), server.started_at, datetime.now(UTC))
        versions = versions_in(server.container) if isinstance(server, ContainerServer) else versions_of(here)
        # Vertex AI's contract says nothing of how a container stops, so only our own images are checked.
        if recording.ok and (report.image is None or is_serving_image(report.image)):
            _check_stop(recording, server)
    report = replace(
        report,
        phases=recording.phases(log.phases),
        log_problems=log.problems,
        sizing=log.sizing,
        versions=versions,
    )
    return _ended(report, recording, began)


def _ended(report: SmokeTestReport, recording: Recording, began: float) -> SmokeTestReport:
    return replace(
        report,
        seconds=round(time.monotonic() - began, 3),
        ready_seconds=recording.ready_seconds,
        checks=tuple(recording.checks),
        load=recording.load,
        differences=recording.differences,
        predictions=recording.predictions,
    )


def untested(plan: ServingPlan) -> SmokeTestReport:
    """The report on an archive that nobody asks to serve: what reading it finds.

    Args:
        plan: The archive, and how it is to be served.

    Raises:
        InputError: When it can't be read.
    """
    found = findings_in(plan, listed_for(plan.container.image))
    return replace(_before(plan), findings=found.findings)


def _before(plan: ServingPlan) -> SmokeTestReport:
    """The report before anything was done."""
    return SmokeTestReport(
        mar_path=plan.mar_path,
        model_name=plan.model_name,
        size_bytes=plan.mar_path.stat().st_size,
        sha256=plan.sha256,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        served_as=_served_as(plan),
    )


def _served_as(plan: ServingPlan) -> dict[str, str]:
    container = plan.container
    return {
        "predict route": plan.predict_route,
        "health route": plan.health_route,
        "port": str(container.port),
        "variables": ", ".join(sorted(container.environment)) or "none",
        **({"image": container.image} if container.image else {}),
    }


def _check_probes(recording: Recording, server: ContainerServer, plan: ServingPlan) -> None:
    """Try the probes that are registered: their program, their route or their port must be there."""
    spec = plan.container
    probes = [probe for probe in (spec.startup_probe, spec.health_probe, spec.liveness_probe) if probe]
    if not probes:
        return
    with recording.check("probes") as seen:
        for probe in probes:
            seen.append(server.try_probe(probe))


def _needs_a_container(options: list[str]) -> Problem:
    return Problem(
        f"{', '.join(options)}: only a container can be held to that, and no image is given",
        "give the image with --image, or leave the options out",
    )


def _require_healthy(url: str) -> None:
    try:
        status = httpx.get(url, timeout=PREDICT_TIMEOUT_SECONDS, trust_env=False).status_code
    except httpx.HTTPError as error:
        raise ServingError(f"{url} does not answer: {error!r}") from error
    if status != 200:
        raise ServingError(f"the health route {url} answered {status}, 200 is needed")


def _golden_requests(plan: ServingPlan) -> Sequence[PredictionRequest]:
    golden = usable_golden_requests(plan.mar_path, plan.model_name)
    if golden is None:
        raise InputError(
            Problem(
                f"no instances are given, and {plan.mar_path} holds no {GOLDEN_REQUEST_NAME}",
                "give a file with --instances, or package the model with --golden-request",
            )
        )
    return golden


def _check_prediction(recording: Recording, server: Server, url: str, request: PredictionRequest) -> None:
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
        seconds = round(response.elapsed.total_seconds(), 3)
        recording.first_answer_seconds = recording.first_answer_seconds or seconds
        seen.append(f"status 200 in {seconds:.3f} s")
    if not recording.ok:
        return
    with recording.check("json") as seen:
        try:
            read_answer(response.content)
        except UnreadableError as error:
            raise ServingError(f"the body is not JSON: {response.text[:_SHOWN_CHARACTERS]!r}") from error
        seen.append(f"{len(response.content)} bytes of JSON")
    if recording.ok:
        with recording.check("predictions") as seen:
            predictions = request.predictions_in(response.content)
            recording.differences = tuple(request.differences(predictions))
            if recording.differences:
                more = len(recording.differences) - 1
                raise ServingError(recording.differences[0].said + (f"; {more} more differ" if more else ""))
            recording.predictions = [*recording.predictions, *predictions]
            seen.append(f"{len(predictions)} predictions for {len(request.instances)} instances")
            if request.predictions is not None:
                seen.append(f"those that are expected, within {request.tolerance:g}")


def _check_stop(recording: Recording, server: Server) -> None:
    with recording.check("stopped") as seen:
        code = server.stop()
        if code not in (0, 143):
            raise ServingError(f"exit code {code} after SIGTERM; 0 or 143 is needed")
        seen.append(f"exit code {code} after SIGTERM")
