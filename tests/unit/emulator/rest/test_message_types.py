"""Bodies against the API's message types: what is accepted, and in which words the rest is refused."""

from typing import Any

import pytest

from vertex_torchserve.emulator.rest.message_types import checked
from vertex_torchserve.emulator.rest.rpc_status import RpcError

UPLOAD = ("POST", "models:upload")
CREATE_ENDPOINT = ("POST", "endpoints")
DEPLOY = ("POST", "endpoints/*:deployModel")
PREDICT = ("POST", "endpoints/*:predict")
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
            (DEPLOY, body, body)
            for kind in (4, "NVIDIA_TESLA_P4")
            for body in [
                {"deployedModel": {"dedicatedResources": {"machineSpec": {"acceleratorType": kind}}}}
            ]
        ),
        (
            PREDICT,
            {"instances": [None, 1, {"a_b": [1.5]}], "parameters": None},
            {"instances": [None, 1, {"a_b": [1.5]}], "parameters": None},
        ),
        (("POST", "somewhere/*:else"), {"any_thing": 1}, {"any_thing": 1}),
    ],
)
def test_bodies_that_are_accepted(
    method: tuple[str, str], body: dict[str, Any], read: dict[str, Any]
) -> None:
    assert checked(body, method) == read


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        (CREATE_ENDPOINT, {"displayName": 1}, "displayName: 1 is not a text."),
        (CREATE_ENDPOINT, {"displayName": "\ud800"}, "displayName: '\\ud800' is not a text."),
        (CREATE_ENDPOINT, {"labels": [1]}, "labels: [1] is not an object."),
        (CREATE_ENDPOINT, {"labels": {"a": {"b": 1}}}, "labels.a: {'b': 1} is not a text."),
        (CREATE_ENDPOINT, {"labelz": {}}, "labelz: there is no such field."),
        (
            CREATE_ENDPOINT,
            {"displayName": "a", "display_name": "b"},
            "display_name is given under two names.",
        ),
        (UPLOAD, {"model": []}, "model: [] is not an object."),
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
            "generateExplanation: 1 is not true or false. createTime: 5 is not a text.",
        ),
    ],
)
def test_bodies_that_are_refused(method: tuple[str, str], body: dict[str, Any], message: str) -> None:
    with pytest.raises(RpcError) as refusal:
        checked(body, method)
    assert (refusal.value.status, refusal.value.message) == ("INVALID_ARGUMENT", message)
