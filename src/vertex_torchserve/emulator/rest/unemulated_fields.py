"""Fields that Vertex AI acts on and this emulator doesn't: they are refused, not kept in silence.

What only says where or on what Google runs something (machines, replicas, networks, keys, accounts) is kept
and shown: no answer depends on it here.
"""

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import not_emulated

_LIST = ("readMask",)
# (HTTP method, path) as in the tables of routes -> paths into the request's message.
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "models"): _LIST,
    ("GET", "models/*:listVersions"): _LIST,
    ("GET", "endpoints"): _LIST,
    ("GET", "batchPredictionJobs"): _LIST,
    ("POST", "models:upload"): (
        "model.explanationSpec",
        "model.containerSpec.grpcPorts",
        "model.containerSpec.invokeRoutePrefix",
    ),
    ("PATCH", "models/*"): ("model.etag",),
    ("POST", "endpoints"): (
        "endpoint.predictRequestResponseLoggingConfig",
        "endpoint.genAiAdvancedFeaturesConfig",
        "endpoint.privateModelServerEnabled",
    ),
    ("PATCH", "endpoints/*"): ("endpoint.etag",),
    ("POST", "endpoints/*:deployModel"): (
        "deployedModel.explanationSpec",
        "deployedModel.sharedResources",
        "deployedModel.checkpointId",
        "deployedModel.speculativeDecodingSpec",
        "deployedModel.gdcConnectedModel",
    ),
    ("POST", "batchPredictionJobs"): tuple(
        f"batchPredictionJob.{field}"
        for field in (
            "unmanagedContainerModel",
            "generateExplanation",
            "explanationSpec",
            "instanceConfig.includedFields",
            "instanceConfig.excludedFields",
            "instanceConfig.keyField",
            "instanceConfig.instanceType",
        )
    ),
}


def refuse_unemulated(message: Json, method: tuple[str, str]) -> None:
    """Refuse a request that asks for what isn't emulated.

    Args:
        message: The request as `message_types.py` writes it.
        method: HTTP method and path, as in a table of routes.

    Raises:
        RpcError: UNIMPLEMENTED that names every such field.
    """
    asked = [path for path in _FIELDS.get(method, ()) if _given(message, path)]
    if asked:
        raise not_emulated(", ".join(asked))


def _given(message: Json, path: str) -> bool:
    first, _, rest = path.partition(".")
    if not rest:
        return first in message
    return _given(message.get(first, {}), rest)
