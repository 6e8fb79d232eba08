"""What an answer must be, in the terms of the checks."""

import json
from typing import Any

from vertex_torchserve.conformance.exchange import Answer
from vertex_torchserve.conformance.verdict import Broken, NotRun


def require_200(answer: Answer, what: str) -> None:
    """Raises Broken unless the status is 200; `what` says what was asked."""
    if answer.status != 200:
        raise Broken(f"{what} got {answer.shown()}")


def require_refusal(answer: Answer, what: str) -> None:
    """Raises Broken unless the status is a 4xx; `what` says what was asked."""
    if not 400 <= answer.status < 500:
        raise Broken(f"{what} got {answer.shown()}")


def require_no_failure(answer: Answer, what: str) -> None:
    """Raises Broken when the status is a 5xx; `what` says what was asked."""
    if answer.status >= 500:
        raise Broken(f"{what} got {answer.shown()}")


def predictions_of(answer: Answer) -> Any:
    """The `predictions` of an answer.

    Raises:
        Broken: When it has none, or is no JSON object.
    """
    require_200(answer, "a prediction")
    try:
        content = json.loads(answer.body)
    except ValueError as error:
        raise Broken(f"the answer is no JSON: {answer.shown()}") from error
    if not isinstance(content, dict) or "predictions" not in content:
        raise Broken(f'the answer has no "predictions": {answer.shown()}')
    return content["predictions"]


def list_of_predictions(answer: Answer) -> list[Any]:
    """The `predictions` of an answer that has a list of them.

    Raises:
        NotRun: When it has none, which another check says, or they are no list.
    """
    require_200(answer, "a prediction")
    try:
        predictions = predictions_of(answer)
    except Broken as error:
        raise NotRun(str(error)) from error
    if not isinstance(predictions, list):
        raise NotRun(f'"predictions" is no list: {answer.shown()}')
    return predictions
