"""TorchServe's service envelope `instances`: `{"instances", "parameters"}` to `{"predictions"}`.

Runs in TorchServe's worker as `ts.torch_handler.request_envelope.instances`; standard library and `ts`
only. The first class of this module is the envelope (`ts/model_loader.py`), so it is the only one.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from .batch import Batch
from .continuous_batch import ContinuousBatch, OpenAnswers


class InstancesEnvelope:
    """Answers each request of a TorchServe batch by itself, while the handler sees one flat batch.

    The handler gets the instances of all requests as one list, `{"b64": ...}` decoded to bytes, and returns
    one prediction for each, in order. `context.instance_parameters` is a list as long as it: the
    `parameters` of the request that each instance came with, `{}` when it had none;
    `context.instance_requests` is the index of that request. A handler that can't answer some instances may
    say so in `context.instance_failures`, index of the instance to status and message, and return anything
    in their place: those requests fail alone, and the batch is not run again.

    A handler that takes requests of other APIs names, in `context.whole_bodies` when it is loaded, fields by
    which it knows their bodies. Such a body, which has no `instances`, is the one instance of its request,
    and `context.instance_is_body` says so. For the one instance of a request a handler may write the body of
    the answer itself, that of a failure too, as text: into `context.instance_bodies` by the index of the
    instance.

    With `asyncCommunication: true` in the archive's `model-config.yaml` several batches are answered at a
    time, as TorchServe awaits each; the handler's `handle` may then be an `async def`. With
    `continuousBatching: true` an answer is made in several calls (`ContinuousBatch`).

    Args:
        handle_fn: The handler's `handle(data, context)`.
    """

    def __init__(self, handle_fn: Callable[[list[Any], Any], Any]) -> None:
        self._handle_fn = handle_fn
        self._open_answers: OpenAnswers = {}

    def handle(self, data: Sequence[dict[str, Any]], context: Any) -> list[str] | Awaitable[list[str]]:
        """Answer a batch.

        Args:
            data: What TorchServe took from each request: `body` or `data`, as bytes or parsed, or the fields
                of a form.
            context: TorchServe's `ts.context.Context`; gets the status and content type of each answer.

        Returns:
            The JSON body of each request's answer, in order: `{"predictions": [...]}` or
            `{"error": "..."}`; with `asyncCommunication: true` what has to be awaited for them.
        """
        config = getattr(context, "model_yaml_config", None) or {}
        if config.get("continuousBatching") is True:
            batch: Batch = ContinuousBatch(self._handle_fn, data, context, self._open_answers)
        else:
            batch = Batch(self._handle_fn, data, context)
        answer = batch.answer()
        return answer if config.get("asyncCommunication") is True else _at_once(answer)


def _at_once(answer: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Run to its end what waits for nothing; a handler that waits needs a loop, and fails without one."""
    try:
        answer.send(None)
    except StopIteration as end:
        bodies: list[str] = end.value
        return bodies
    answer.close()
    raise RuntimeError("the handler waits in `async def handle`; set asyncCommunication: true")
