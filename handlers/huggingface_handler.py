"""TorchServe handler for Hugging Face models: every common task.

TorchServe imports this file by its name and calls `handle`. The work is done by the package `hf_handler`
beside it, which travels in the same archive. Both import nothing but torch, transformers and the standard
library. What is taken, returned and can be set is in the README beside them.
"""

from typing import Any

from hf_handler.service import Service


def handle(data: list[Any] | None, context: Any) -> list[Any] | None:
    """What TorchServe calls: once with no data, to load; then for every batch.

    Args:
        data: Instances; or a mapping with `body` or `data` for each request.
        context: TorchServe's `ts.context.Context`, the same object every time: it keeps the loaded model, so
            one process can serve several. An envelope that passes parameters on sets its
            `instance_parameters`: one mapping for each instance.

    Returns:
        As many answers as `data` has items, in order, of JSON types only; for this project's envelope
        vectors are arrays of numpy.

    Raises:
        PredictionException: An instance can't be used, and the envelope can't fail a request alone.
    """
    if data is None:
        context.huggingface = Service(context)
        return None
    answers: list[Any] = context.huggingface.answer(data, context)
    return answers
