"""TorchServe's service envelope `instances`: `{"instances", "parameters"}` to `{"predictions"}`.

Runs in TorchServe's worker as `ts.torch_handler.request_envelope.instances`; standard library and `ts`
only. The first class of this module is the envelope (`ts/model_loader.py`), so it is the only one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .batch import Batch


class InstancesEnvelope:
    """Answers each request of a TorchServe batch by itself, while the handler sees one flat batch.

    The handler gets the instances of all requests as one list, `{"b64": ...}` decoded to bytes, and returns
    one prediction for each, in order. `context.instance_parameters` is a list as long as it: the
    `parameters` of the request that each instance came with, `{}` when it had none;
    `context.instance_requests` is the index of that request. A handler that can't answer some instances may
    say so in `context.instance_failures`, index of the instance to status and message, and return anything
    in their place: those requests fail alone, and the batch is not run again.

    Args:
        handle_fn: The handler's `handle(data, context)`.
    """

    def __init__(self, handle_fn: Callable[[list[Any], Any], Any]) -> None:
        self._handle_fn = handle_fn

    def handle(self, data: Sequence[dict[str, Any]], context: Any) -> list[str]:
        """Answer a batch.

        Args:
            data: What TorchServe took from each request: `body` or `data`, as bytes or parsed, or the fields
                of a form.
            context: TorchServe's `ts.context.Context`; gets the status and content type of each answer.

        Returns:
            The JSON body of each request's answer, in order: `{"predictions": [...]}` or
            `{"error": "..."}`.
        """
        return Batch(self._handle_fn, data, context).answer()
