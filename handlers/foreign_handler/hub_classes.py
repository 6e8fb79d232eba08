"""The class that serves a folder of the Hugging Face Hub: of its `handler.py`, or of its `pipeline.py`."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import ModuleType
from typing import Any

from foreign_handler.calls import RefusedError
from foreign_handler.waiting import awaited


def made_handler(module: ModuleType, folder: str) -> Callable[[Mapping[str, Any]], Any]:
    """Make the author's handler.

    Args:
        module: The author's file. Its `EndpointHandler` (Inference Endpoints) is called with the data of a
            request; where there is none, its `PreTrainedPipeline` (the Inference API before them,
            api-inference-community) with the inputs, and with the parameters by their names.
        folder: The model's, which both are made with.

    Returns:
        What answers `{"inputs": ..., "parameters": ...}`; an `async def __call__` is awaited.

    Raises:
        ValueError: The file defines neither.
        Exception: Whatever the class raises.
    """
    newer, older = getattr(module, "EndpointHandler", None), getattr(module, "PreTrainedPipeline", None)
    if newer is not None:
        handler = newer(folder)
        return lambda data: awaited(handler(data))
    if older is not None:
        pipeline = older(folder)
        return lambda data: awaited(_called(pipeline, data))
    raise ValueError(f"{module.__file__} defines no class EndpointHandler or PreTrainedPipeline")


def _called(pipeline: Any, data: Mapping[str, Any]) -> Any:
    if "inputs" not in data:
        raise RefusedError('"inputs" is missing')
    parameters = data.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise RefusedError('"parameters" must be an object')
    if isinstance(data["inputs"], bytes):
        raise RefusedError(
            "a PreTrainedPipeline takes a sound as samples, and this server decodes none; an EndpointHandler "
            "gets its bytes",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return pipeline(data["inputs"], **parameters)
