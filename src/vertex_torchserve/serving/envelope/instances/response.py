"""Write one answer: `{"predictions": [...]}`, or `{"error": "..."}` as Vertex AI asks for."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from .bounded_json import TooLongError, bounded_json

_LONGEST_MESSAGE = 10_000


class UnusablePredictionsError(Exception):
    """The handler's mistake; the message holds no prediction."""


def as_predictions(results: Any, expected: int) -> Sequence[Any]:
    """The handler's predictions.

    Args:
        results: A list, a tuple, or an array or tensor whose first dimension counts the instances.
        expected: The number of instances.

    Raises:
        UnusablePredictionsError: It is something else, or of another length.
    """
    # The rows of an array are arrays, which are written as they are; those of a vector are numbers.
    predictions = list(results) if getattr(results, "shape", ()) else results
    if not isinstance(predictions, list | tuple):
        raise UnusablePredictionsError(
            f"the handler returned {type(results).__name__} instead of a list of predictions"
        )
    if len(predictions) != expected:
        raise UnusablePredictionsError(
            f"the handler returned {len(predictions)} predictions for {expected} instances"
        )
    return predictions


def predictions_body(predictions: list[Any]) -> str:
    """The body of an answer, ASCII; arrays, tensors and their scalars become lists and numbers.

    Raises:
        UnusablePredictionsError: One of them is no JSON: a type of another kind, NaN or Infinity. Or the body
            is longer than `VTS_MAX_RESPONSE_BYTES`: TorchServe holds each answer of a batch against
            `max_response_size`, and ends the worker that sends a longer one (`CodecUtils.readLength`).
    """
    most = _most_bytes()
    try:
        return bounded_json({"predictions": predictions}, most)
    except TooLongError:
        raise _too_long(most) from None
    except Exception as error:
        raise UnusablePredictionsError(_first_fault(predictions)) from error


def written_body(text: Any) -> str:
    """The body of an answer that the handler has written itself.

    Raises:
        UnusablePredictionsError: It is no text, or longer than `VTS_MAX_RESPONSE_BYTES`.
    """
    if not isinstance(text, str):
        raise UnusablePredictionsError(f"the handler wrote {type(text).__name__} instead of a body's text")
    most = _most_bytes()
    if len(text.encode("utf-8", "replace")) > most:
        raise _too_long(most)
    return text


def _most_bytes() -> int:
    return int(os.environ.get("VTS_MAX_RESPONSE_BYTES") or sys.maxsize)


def _too_long(most: int) -> UnusablePredictionsError:
    return UnusablePredictionsError(
        f"the predictions are longer than {most} bytes, the most that an answer may have; "
        "ask for fewer or smaller ones at a time"
    )


def error_body(message: str) -> str:
    """The body of a failed request (Vertex AI, custom container requirements: `error` is a string).

    A message that is too long to be read is cut, so that it can't be longer than an answer may be.
    """
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}... ({len(message)} characters)"
    return json.dumps({"error": message})


def _first_fault(predictions: list[Any]) -> str:
    for index, prediction in enumerate(predictions):
        try:
            bounded_json(prediction)
        except (TypeError, ValueError) as error:  # json's own: they name types, not values
            return f"prediction {index} can't be written as JSON: {error}"
        except Exception as error:
            return f"prediction {index} can't be written as JSON: {type(error).__name__}"
    return "the predictions can't be written as JSON: nested too deeply"
