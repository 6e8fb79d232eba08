"""Every method of Vertex AI's services that the SDK knows: emulated, or a 501 that names it."""

import re
from collections.abc import Iterator

import httpx
import pytest
from google.cloud.aiplatform_v1.services.endpoint_service.transports import rest_base as endpoint_service
from google.cloud.aiplatform_v1.services.job_service.transports import rest_base as job_service
from google.cloud.aiplatform_v1.services.model_service.transports import rest_base as model_service
from google.cloud.aiplatform_v1.services.prediction_service.transports import rest_base as prediction_service

from vertex_torchserve.emulator import Emulator

TRANSPORTS = (
    model_service._BaseModelServiceRestTransport,
    endpoint_service._BaseEndpointServiceRestTransport,
    prediction_service._BasePredictionServiceRestTransport,
    job_service._BaseJobServiceRestTransport,
)
# Locations, policies and operations, which every service has.
OF_EVERY_SERVICE = re.compile(r"_Base(\w+Locations?|\w+IamPolicy|TestIamPermissions|\w+Operations?)")
IN_A_LOCATION = re.compile(r"/(?:v1|ui)/projects/1/locations/1/")
# docs/emulator.md says so, too.
EMULATED = {
    "POST models:upload",
    "GET models",
    "GET models/1",
    "PATCH models/1",
    "DELETE models/1",
    "GET models/1:listVersions",
    "POST models/1:mergeVersionAliases",
    "DELETE models/1:deleteVersion",
    "POST endpoints",
    "GET endpoints",
    "GET endpoints/1",
    "PATCH endpoints/1",
    "DELETE endpoints/1",
    "POST endpoints/1:deployModel",
    "POST endpoints/1:undeployModel",
    "POST endpoints/1:predict",
    "POST endpoints/1:rawPredict",
    "POST endpoints/1:streamRawPredict",
    "POST batchPredictionJobs",
    "GET batchPredictionJobs",
    "GET batchPredictionJobs/1",
    "POST batchPredictionJobs/1:cancel",
    "DELETE batchPredictionJobs/1",
}


def bindings() -> Iterator[tuple[str, str]]:
    """HTTP method and path of every binding, each `*` of it as `1`."""
    for transport in TRANSPORTS:
        for name, method in vars(transport).items():
            options = getattr(method, "_get_http_options", None)  # none where it is for gRPC alone
            for binding in options() if options and not OF_EVERY_SERVICE.fullmatch(name) else ():
                path = re.sub(r"\{\w+(?:\.\w+)?=([^}]*)\}", r"\1", binding["uri"])
                yield binding["method"].upper(), path.replace("*", "1")


BINDINGS = sorted(set(bindings()))


def below_location(path: str) -> str:
    return IN_A_LOCATION.sub("", path)


@pytest.fixture(scope="module")
def answers(emulator: Emulator) -> dict[tuple[str, str], httpx.Response]:
    with httpx.Client(base_url=emulator.vertex_host) as client:
        return {(method, path): client.request(method, path) for method, path in BINDINGS}


def refused(answers: dict[tuple[str, str], httpx.Response]) -> dict[tuple[str, str], httpx.Response]:
    """What is answered 501 for the method itself, and not for what an empty body asks of it."""
    return {
        (method, path): answer
        for (method, path), answer in answers.items()
        if answer.status_code == 501 and answer.json()["error"]["message"].startswith(f"{method} ")
    }


def test_what_is_emulated_is_what_is_said(answers: dict[tuple[str, str], httpx.Response]) -> None:
    emulated = set(answers) - set(refused(answers))
    assert {f"{method} {below_location(path)}" for method, path in emulated} == EMULATED


def test_every_other_method_is_a_501_that_names_it(answers: dict[tuple[str, str], httpx.Response]) -> None:
    others = refused(answers)
    for verb in ("serverStreamingPredict", "directPredict", "directRawPredict", "explain", "generateContent"):
        assert ("POST", f"/v1/projects/1/locations/1/endpoints/1:{verb}") in others
    for (method, path), answer in others.items():
        error = answer.json()["error"]
        named = below_location(path)
        shown = f"v1 {named.replace('/1', '/*')}" if named != path else path
        assert (error["status"], error["message"]) == (
            "UNIMPLEMENTED",
            f"{method} {shown} is not emulated: docs/emulator.md lists what is.",
        )
