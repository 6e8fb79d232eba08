"""What Vertex AI acts on and the emulator doesn't is refused by name."""

from typing import Any

import pytest

from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.emulator.rest.unemulated_fields import refuse_unemulated


@pytest.mark.parametrize(
    ("method", "message", "fields"),
    [
        (
            ("POST", "batchPredictionJobs"),
            {
                "batchPredictionJob": {
                    "generateExplanation": True,
                    "instanceConfig": {"instanceType": "object"},
                }
            },
            "batchPredictionJob.generateExplanation, batchPredictionJob.instanceConfig.instanceType",
        ),
        (
            ("POST", "models:upload"),
            {"model": {"containerSpec": {"invokeRoutePrefix": "/*"}}},
            "model.containerSpec.invokeRoutePrefix",
        ),
        (
            ("POST", "endpoints"),
            {"endpoint": {"predictRequestResponseLoggingConfig": {"enabled": True}}},
            "endpoint.predictRequestResponseLoggingConfig",
        ),
        (
            ("POST", "endpoints/*:deployModel"),
            {"deployedModel": {"sharedResources": "pool"}},
            "deployedModel.sharedResources",
        ),
        (("GET", "models"), {"readMask": "name"}, "readMask"),
    ],
)
def test_what_would_be_ignored_is_refused(
    method: tuple[str, str], message: dict[str, Any], fields: str
) -> None:
    with pytest.raises(RpcError) as refusal:
        refuse_unemulated(message, method)
    assert refusal.value.status == "UNIMPLEMENTED"
    assert refusal.value.message.startswith(f"{fields} is not emulated")


def test_where_something_runs_is_kept() -> None:
    deployed = {"dedicatedResources": {"minReplicaCount": 2}, "serviceAccount": "me@p.iam"}
    refuse_unemulated({"deployedModel": deployed}, ("POST", "endpoints/*:deployModel"))
