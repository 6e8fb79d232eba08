"""Call the author's code once for each instance, so that one that fails is its request's own affair."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from foreign_handler.media_types import JSON, is_audio, is_image

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """One call of the author's code.

    Attributes:
        value: An instance, or, where there is no envelope, the body of a request.
        parameters: Those of the instance's request.
        content_type: Of the body that `value` is; empty for an instance that came in JSON.
        accept: What the client accepts; empty when it doesn't say, or came through an envelope.
        is_body: Whether `value` is a whole body: what is answered then goes out as it is.
    """

    value: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = ""
    accept: str = ""
    is_body: bool = False


@dataclass(frozen=True)
class Answer:
    """What the author's code answered.

    Attributes:
        value: A prediction, or, for a whole body, the body of the answer.
        content_type: Of that body.
    """

    value: Any
    content_type: str = JSON


class RefusedError(Exception):
    """The client's mistake.

    Args:
        message: What the client reads.
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status_code = int(status)


def answer_all(data: Sequence[Any], context: Any, answer: Callable[[Call], Answer]) -> list[Any]:
    """Answer what TorchServe hands over, each instance or body by itself.

    Args:
        data: Instances, where an envelope has taken the requests apart, else a mapping with `body` or `data`
            for each request.
        context: TorchServe's `ts.context.Context`.
        answer: Answers one call.

    Raises:
        Exception: What `answer` raises, where the envelope can't fail a request alone.
    """
    parameters = getattr(context, "instance_parameters", None)
    if parameters is None and all(
        isinstance(row, Mapping) and ("body" in row or "data" in row) for row in data
    ):
        return [_answer_body(row, index, context, answer) for index, row in enumerate(data)]
    return _answer_instances(data, parameters, context, answer)


def _answer_instances(
    data: Sequence[Any], parameters: Any, context: Any, answer: Callable[[Call], Answer]
) -> list[Any]:
    """An instance of a request that has failed already is not called for."""
    sink: dict[int, tuple[int, str]] | None = getattr(context, "instance_failures", None)
    requests = getattr(context, "instance_requests", None) or [None] * len(data)
    predictions: list[Any] = []
    failed: set[int] = set()
    seen: dict[int | None, int] = {}
    for index, instance in enumerate(data):
        request = requests[index]
        position = seen[request] = seen.get(request, -1) + 1
        predictions.append(None)
        if request in failed:
            continue
        try:
            call = Call(
                instance, parameters[index] if parameters else {}, _file_type(instance, context, request)
            )
            predictions[index] = answer(call).value
        except Exception as error:
            if sink is None:
                raise
            status, message = _told(error)
            sink[index] = status, f"instance {position}: {message}"
            failed.add(request)
    return predictions


def _answer_body(row: Mapping[str, Any], index: int, context: Any, answer: Callable[[Call], Answer]) -> Any:
    body = row["body"] if "body" in row else row["data"]
    value = bytes(body) if isinstance(body, bytearray) else body
    accept = _header(_headers(context, index), "accept")
    try:
        given = answer(Call(value, {}, _content_type(context, index) or JSON, accept, is_body=True))
    except Exception as error:
        status, message = _told(error)
        phrase = HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""
        context.set_response_status(status, phrase, index)
        context.set_response_content_type(index, JSON)
        return {"error": message}
    context.set_response_content_type(index, given.content_type)
    return given.value


def failure_of(error: Exception) -> tuple[int, str]:
    """The status of an exception and what the client reads.

    An exception that has a status of its own keeps it: TorchServe's `PredictionException`, SageMaker's
    `BaseInferenceToolkitError`, an `HTTPException` of a web framework. A `ValueError` is the client's
    mistake, as in Hugging Face's servers; any other exception is a fault of the model or its code, whose
    message may quote other things than the request.
    """
    for name in ("error_code", "status_code"):
        status = getattr(error, name, None)
        if isinstance(status, int) and 400 <= status < 600:
            message = getattr(error, "message", None) or getattr(error, "detail", None) or error
            return int(status), str(message)
    if isinstance(error, ValueError):
        return HTTPStatus.BAD_REQUEST, str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "out of memory" in str(error)):
        return HTTPStatus.INSUFFICIENT_STORAGE, "out of memory"
    return HTTPStatus.INTERNAL_SERVER_ERROR, "the prediction failed"


def _told(error: Exception) -> tuple[int, str]:
    """The same, and a line in the log: its place, without its message, which may quote the request."""
    status, message = failure_of(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"
    level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
    logger.log(level, "%s at %s", type(error).__name__, place)
    return status, message


def _file_type(instance: Any, context: Any, request: int | None) -> str:
    """The content type of an instance that is a whole body, a picture or a sound; empty for any other."""
    found = _content_type(context, request) if isinstance(instance, bytes) else ""
    return found if is_image(found) or is_audio(found) else ""


def _content_type(context: Any, request: int | None) -> str:
    """The content type of a body, or of the part of a form that is one; empty when there is none."""
    headers = _headers(context, request)
    for name in ("data", "body"):
        part = headers.get(name)
        if isinstance(part, Mapping) and (found := _header(part, "content-type")):
            return found
    return _header(headers, "content-type")


def _headers(context: Any, request: int | None) -> Mapping[str, Any]:
    processors = context.request_processor or []
    if request is None or request >= len(processors):
        return {}
    found: Mapping[str, Any] = processors[request].get_request_properties()
    return found


def _header(headers: Mapping[str, Any], wanted: str) -> str:
    return next((str(value) for name, value in headers.items() if name.lower() == wanted), "")
