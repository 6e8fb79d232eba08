"""TorchServe handler that serves an `inference.py` of SageMaker, unchanged.

`vertex-torchserve package --handler sagemaker:FILE.py` puts it into the archive, with the package
`foreign_handler` beside it. What becomes of a request is in docs/migrate.md.
"""

from typing import Any

from foreign_handler.calls import Answer, Call, answer_all
from foreign_handler.sagemaker_functions import Functions
from foreign_handler.sagemaker_request import prediction_of, request_of
from foreign_handler.values import as_json


def handle(data: list[Any] | None, context: Any) -> list[Any] | None:
    """What TorchServe calls: once with no data, to load; then for every batch.

    Args:
        data: Instances; or a mapping with `body` or `data` for each request.
        context: TorchServe's `ts.context.Context`, which keeps the author's functions and the model.

    Returns:
        As many answers as `data` has items, in order.
    """
    if data is None:
        context.sagemaker_functions = Functions(context)
        return None
    return answer_all(data, context, lambda call: _answer(context.sagemaker_functions, call))


def _answer(functions: Functions, call: Call) -> Answer:
    answer = functions.transform(request_of(call))
    if not call.is_body:
        return Answer(prediction_of(answer))
    is_ready = isinstance(answer.value, str | bytes | bytearray)
    return answer if is_ready else Answer(as_json(answer.value), answer.content_type)
