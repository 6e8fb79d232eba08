"""Requests as the API's messages: what is accepted, and in which words the rest is refused."""

from typing import Any

import pytest

from vertex_torchserve.emulator.rest.message_types import parsed
from vertex_torchserve.emulator.rest.rpc_status import RpcError

UPLOAD = ("POST", "models:upload")
CREATE_ENDPOINT = ("POST", "endpoints")
DEPLOY = ("POST", "endpoints/*:deployModel")
PREDICT = ("POST", "endpoints/*:predict")
LIST = ("GET", "models")
UPDATE = ("PATCH", "models/*")
CREATE_JOB = ("POST", "batchPredictionJobs")


@pytest.mark.parametrize(
    ("method", "body", "read"),
    [
        (CREATE_ENDPOINT, {"display_name": "ep"}, {"displayName": "ep"}),
        (CREATE_ENDPOINT, {"labels": {"a_b": "c_d"}}, {"labels": {"a_b": "c_d"}}),
        (CREATE_ENDPOINT, {"displayName": "ep", "labels": None}, {"displayName": "ep"}),
        (
            UPLOAD,
            {"model": {"container_spec": {"ports": [{"container_port": "80"}], "sharedMemorySizeMb": 64}}},
            {"model": {"containerSpec": {"ports": [{"containerPort": 80}], "sharedMemorySizeMb": "64"}}},
        ),
        (
            UPLOAD,
            {"model": {"containerSpec": {"startupProbe": {"exec": {"command": ["true"]}}}}},
            {"model": {"containerSpec": {"startupProbe": {"exec": {"command": ["true"]}}}}},
        ),
        (UPLOAD, {"model": {"metadata": {"any_thing": [1]}}}, {"model": {"metadata": {"any_thing": [1]}}}),
        (DEPLOY, {"trafficSplit": {"0": 100}}, {"trafficSplit": {"0": 100}}),
        *(
            (
                DEPLOY,
                {"deployedModel": {"dedicated_resources": {"machineSpec": {"accelerator_type": kind}}}},
                {
                    "deployedModel": {
                        "dedicatedResources": {"machineSpec": {"acceleratorType": "NVIDIA_TESLA_P4"}}
                    }
                },
            )
            for kind in (4, "NVIDIA_TESLA_P4")
        ),
        (
            UPLOAD,
            {
                "model": {
                    "container_spec": {"deployment_timeout": "90.0s", "env": [{"name": "A", "value": ""}]}
                }
            },
            {"model": {"containerSpec": {"deploymentTimeout": "90s", "env": [{"name": "A"}]}}},
        ),
        (
            PREDICT,
            {"instances": [None, 1, {"a_b": [1.5]}], "parameters": None},
            {"instances": [None, 1, {"a_b": [1.5]}], "parameters": None},
        ),
        (("POST", "somewhere/*:else"), {"any_thing": 1}, {}),
    ],
)
def test_bodies_that_are_accepted(
    method: tuple[str, str], body: dict[str, Any], read: dict[str, Any]
) -> None:
    assert parsed(body, {}, method).body == read


@pytest.mark.parametrize(
    ("method", "query", "read"),
    [
        (LIST, {"page_size": "2", "filter": "a=b"}, {"pageSize": 2, "filter": "a=b"}),
        (LIST, {"pageSize": "-1"}, {"pageSize": -1}),
        (UPDATE, {"update_mask": "display_name,labels"}, {"updateMask": "displayName,labels", "model": {}}),
        (UPDATE, {"updateMask": "displayName"}, {"updateMask": "displayName", "model": {}}),
        (CREATE_ENDPOINT, {"endpoint_id": "e"}, {"endpointId": "e", "endpoint": {}}),
    ],
)
def test_queries_that_are_accepted(
    method: tuple[str, str], query: dict[str, str], read: dict[str, Any]
) -> None:
    assert parsed({}, query, method).query == read


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        (CREATE_ENDPOINT, {"displayName": 1}, "displayName: 1 is not a text."),
        (CREATE_ENDPOINT, {"displayName": "\ud800"}, "displayName: '\\ud800' is not a text."),
        (CREATE_ENDPOINT, {"labels": [1]}, "labels: [1] is not an object."),
        (CREATE_ENDPOINT, {"labels": {"a": {"b": 1}}}, "labels.a: {'b': 1} is not a text."),
        (CREATE_ENDPOINT, {"labelz": {}}, "labelz: there is no such field."),
        (UPLOAD, {"model": [1]}, "model: [1] is not an object."),
        (UPLOAD, {"model": {"metadata": {"a": float("nan")}}}, "model.metadata: {'a': nan} is not a Value."),
        (
            UPLOAD,
            {"model": {"containerSpec": {"deploymentTimeout": "soon"}}},
            "model.containerSpec.deploymentTimeout: 'soon' is not a Duration.",
        ),
        (
            CREATE_JOB,
            {"labels": {"a": 1}, "instanceConfig": {"instanceType": "object", "exclude": []}},
            "labels.a: 1 is not a text. instanceConfig.exclude: there is no such field.",
        ),
        (
            UPLOAD,
            {"model": {"versionAliases": 5, "containerSpec": {"ports": ["x"], "env": [{"x": 1}]}}},
            "model.versionAliases: 5 is not a list. model.containerSpec.ports[0]: 'x' is not an object. "
            "model.containerSpec.env[0].x: there is no such field.",
        ),
        (DEPLOY, {"trafficSplit": {"0": "x"}}, "trafficSplit.0: 'x' is not a whole number of 32 bits."),
        (DEPLOY, {"trafficSplit": {"0": True}}, "trafficSplit.0: True is not a whole number of 32 bits."),
        (
            DEPLOY,
            {"trafficSplit": {"0": float("inf")}},
            "trafficSplit.0: inf is not a whole number of 32 bits.",
        ),
        (
            DEPLOY,
            {"deployedModel": {"dedicatedResources": {"machineSpec": {"acceleratorType": "H100"}}}},
            "deployedModel.dedicatedResources.machineSpec.acceleratorType: 'H100' is not a value of this "
            "enum.",
        ),
        (PREDICT, {"instances": "a"}, "instances: 'a' is not a list."),
        (
            CREATE_JOB,
            {"generateExplanation": 1, "createTime": 5},
            "generateExplanation: 1 is not true or false. createTime: 5 is not a Timestamp.",
        ),
    ],
)
def test_bodies_that_are_refused(method: tuple[str, str], body: dict[str, Any], message: str) -> None:
    with pytest.raises(RpcError) as refusal:
        parsed(body, {}, method)
    assert (refusal.value.status, refusal.value.message) == ("INVALID_ARGUMENT", message)


@pytest.mark.parametrize(
    ("method", "query", "message"),
    [
        (LIST, {"page_size": "x"}, "page_size: 'x' is not a whole number of 32 bits."),
        (LIST, {"pagesize": "1"}, "pagesize: there is no such field."),
        (UPDATE, {"mask": "labels"}, "mask: there is no such field."),
    ],
)
def test_queries_that_are_refused(method: tuple[str, str], query: dict[str, str], message: str) -> None:
    with pytest.raises(RpcError) as refusal:
        parsed({}, query, method)
    assert (refusal.value.status, refusal.value.message) == ("INVALID_ARGUMENT", message)


def test_two_values_for_one_choice_are_refused() -> None:
    probe = {"exec": {"command": ["true"]}, "httpGet": {"path": "/"}}
    with pytest.raises(RpcError, match="oneof"):
        parsed({"model": {"containerSpec": {"healthProbe": probe}}}, {}, UPLOAD)


def test_values_nested_beyond_all_measure_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    with pytest.raises(RpcError) as refusal:
        parsed({"instances": [deep]}, {}, PREDICT)
    assert refusal.value.status == "INVALID_ARGUMENT"
