"""Requests that are wrong, as a client without the SDK sends them: each is a 400 that names the field."""

import time
from typing import Any

import httpx
import pytest

from vertex_torchserve.emulator import Emulator

PARENT = "/v1/projects/my-project/locations/us-central1"
MODEL = {"displayName": "m", "containerSpec": {"imageUri": "image"}}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("endpoints", {"displayName": 1}, "displayName"),
        ("endpoints", {"displayName": "e", "labels": [1]}, "labels"),
        ("endpoints", {"displayName": "e", "labels": {"a": {"b": 1}}}, "labels.a"),
        ("endpoints", {"displayName": "e", "labelz": {}}, "labelz"),
        ("endpoints/1:deployModel", {"deployedModel": 1}, "deployedModel"),
        ("endpoints/1:undeployModel", {"deployedModelId": 1}, "deployedModelId"),
        ("endpoints/1:predict", {"instances": {"a": 1}}, "instances"),
        ("models:upload", {"model": [1]}, "model"),
        ("models:upload", {"model": MODEL | {"versionAliases": 5}}, "model.versionAliases"),
        (
            "models:upload",
            {"model": MODEL | {"containerSpec": {"imageUri": "image", "ports": ["x"]}}},
            "model.containerSpec.ports[0]",
        ),
        (
            "models:upload",
            {"model": MODEL | {"containerSpec": {"imageUri": "image", "env": [{"x": 1}]}}},
            "model.containerSpec.env[0].x",
        ),
        (
            "models:upload",
            {"model": MODEL | {"containerSpec": {"imageUri": "image", "env": [{"value": "v"}]}}},
            "container_spec.env",
        ),
        ("models/1@1:mergeVersionAliases", {"versionAliases": [1]}, "versionAliases[0]"),
        ("batchPredictionJobs", {"inputConfig": "x"}, "inputConfig"),
        (
            "batchPredictionJobs",
            {"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": "x"}}},
            "inputConfig.gcsSource.uris",
        ),
    ],
)
def test_a_wrong_type_is_named(emulator: Emulator, path: str, body: dict[str, Any], field: str) -> None:
    answer = httpx.post(f"{emulator.vertex_host}{PARENT}/{path}", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("content", [b"{", b"[]", b"5", b"[" * 100_000, b'{"a": "\xff"}'])
def test_a_body_that_is_not_json_is_refused(emulator: Emulator, content: bytes) -> None:
    answer = httpx.post(f"{emulator.vertex_host}{PARENT}/endpoints", content=content)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("query", ["pageSize=-1", "page_size=x", "pageToken=-1", "pagesize=1"])
def test_a_page_that_cannot_be_is_refused(emulator: Emulator, query: str) -> None:
    answer = httpx.get(f"{emulator.vertex_host}{PARENT}/endpoints?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]["message"]


def test_parameters_that_every_google_api_has_are_passed_over(emulator: Emulator) -> None:
    query = "%24alt=json%3Benum-encoding%3Dint&key=k&prettyPrint=false"
    assert httpx.get(f"{emulator.vertex_host}{PARENT}/models?{query}").json() == {"models": []}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("batchPredictionJobs", {"generate_explanation": True}, "generateExplanation"),
        ("batchPredictionJobs", {"instance_config": {"instance_type": "object"}}, "instanceType"),
        ("models:upload", {"model": MODEL | {"explanation_spec": {"parameters": {}}}}, "explanationSpec"),
    ],
)
def test_what_is_not_emulated_is_not_kept_in_silence(
    emulator: Emulator, path: str, body: dict[str, Any], field: str
) -> None:
    answer = httpx.post(f"{emulator.vertex_host}{PARENT}/{path}", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (501, "UNIMPLEMENTED")
    assert field in error["message"]


def test_snake_case_is_read_as_the_api_reads_it(emulator: Emulator) -> None:
    with httpx.Client(base_url=emulator.vertex_host) as client:
        for name in ("one", "two"):
            created = client.post(
                f"{PARENT}/endpoints", params={"endpoint_id": name}, json={"display_name": name}
            )
            assert created.status_code == 200
            deadline = time.monotonic() + 60
            while client.get(f"{PARENT}/endpoints/{name}").status_code == 404:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        page = client.get(f"{PARENT}/endpoints", params={"page_size": 1}).json()
        assert (len(page["endpoints"]), page["nextPageToken"]) == (1, "1")
        changed = client.patch(
            f"{PARENT}/endpoints/one", params={"update_mask": "display_name"}, json={"display_name": "new"}
        )
        assert changed.json()["displayName"] == "new"
