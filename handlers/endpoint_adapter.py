"""TorchServe handler that serves a Hub folder's own handler, written for Hugging Face's servers, unchanged.

`vertex-torchserve package --handler endpoint:FILE.py` puts it into the archive, with the package
`foreign_handler` beside it. What becomes of a request is in docs/migrate.md.
"""

from typing import Any

from foreign_handler.calls import Answer, Call, answer_all
from foreign_handler.hub_classes import made_handler
from foreign_handler.loading import load_module, model_folder
from foreign_handler.media_types import bare, is_image
from foreign_handler.values import as_json, as_json_value, data_of, is_picture, opened_image, picture_file


def handle(data: list[Any] | None, context: Any) -> list[Any] | None:
    """What TorchServe calls: once with no data, to load; then for every batch.

    Args:
        data: Instances; or a mapping with `body` or `data` for each request.
        context: TorchServe's `ts.context.Context`, which keeps the author's handler.

    Returns:
        As many answers as `data` has items, in order.
    """
    if data is None:
        context.endpoint_handler = made_handler(load_module(context), str(model_folder(context)))
        return None
    return answer_all(data, context, lambda call: _answer(context.endpoint_handler, call))


def _answer(handler: Any, call: Call) -> Answer:
    if call.is_body and isinstance(call.value, dict):
        data = call.value
    elif isinstance(call.value, bytes) and is_image(call.content_type):
        data = {"inputs": opened_image(call.value)}
    else:
        data = data_of(call.value, call.parameters)
    result = handler(data)
    if not call.is_body:
        return Answer(as_json_value(result))
    if is_image(call.accept) and is_picture(result):
        kind = bare(call.accept).removeprefix("image/")
        return Answer(picture_file(result, kind.upper()), call.accept)
    return Answer(as_json(result))
