"""One request to a model, and what it must be answered where that is known."""

import contextlib
import json
import math
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any

from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.answer_differences import Difference, differences, is_number
from vertex_torchserve.serving.archive.bounded_text import UnreadableError, read_json, shortened

DEFAULT_TOLERANCE = 1e-3
FIELDS = ("instances", "parameters", "predictions", "tolerance")
# A model may compile itself on its first request.
_TIMEOUT_SECONDS = 600.0
_MOST_FIELDS = 5  # that are named as no fields of it
_SHOWN_ERROR_CHARACTERS = 500
_ANSWER_START = b'{"predictions": '  # as the envelope writes it


@dataclass(frozen=True)
class PredictionRequest:
    """A request, and the answer that is expected.

    Attributes:
        instances: At least one.
        parameters: None when the request has none.
        predictions: One for each instance; None when only their number is known.
        tolerance: How far a number may differ: absolutely, or relative to the larger of the two.
    """

    instances: list[Any]
    parameters: dict[str, Any] | None = None
    predictions: list[Any] | None = None
    tolerance: float = DEFAULT_TOLERANCE

    def body(self) -> bytes:
        """What is posted: `{"instances": [...], "parameters": {...}}`."""
        body: dict[str, Any] = {"instances": self.instances}
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return json.dumps(body).encode()

    def fields(self) -> dict[str, Any]:
        """What a file says of it: the fields that were given."""
        given = {**json.loads(self.body()), "predictions": self.predictions, "tolerance": self.tolerance}
        if self.predictions is None:
            del given["predictions"], given["tolerance"]
        return given

    def bare(self) -> "PredictionRequest":
        """The same request, of which no answer is known."""
        return replace(self, predictions=None, tolerance=DEFAULT_TOLERANCE)

    def predictions_in(self, body: bytes) -> list[Any]:
        """The predictions of an answer, one for each instance.

        Args:
            body: All of the answer, with what the handler sent before it in parts.

        Raises:
            ServingError: It is no JSON, or holds other than one prediction for each instance.
        """
        try:
            answer = read_answer(body)
        except UnreadableError as error:
            raise ServingError(f"the answer {error}") from None
        predictions = answer.get("predictions") if isinstance(answer, dict) else None
        if not isinstance(predictions, list):
            raise ServingError('the answer has no list "predictions"')
        if len(predictions) != len(self.instances):
            raise ServingError(f"{len(predictions)} predictions for {len(self.instances)} instances")
        return predictions

    def difference(self, body: bytes) -> str:
        """Where an answer first differs from the expected one, and how; empty when it does not.

        Args:
            body: As in `predictions_in`.
        """
        try:
            predictions = self.predictions_in(body)
        except ServingError as error:
            return error.message
        first = next(iter(self.differences(predictions)), None)
        return first.said if first else ""

    def differences(self, predictions: list[Any]) -> list[Difference]:
        """Every place where predictions differ from the expected ones; none where these are not known."""
        if self.predictions is None:
            return []
        return list(differences(self.predictions, predictions, "predictions", self.tolerance))

    def check(self, predict_url: str, name: str) -> None:
        """Send it, and compare the answer.

        Args:
            predict_url: Where it is posted.
            name: Of the request, in messages.

        Raises:
            ServingError: The answer is not 200, or not the one that is expected; says where it differs.
        """
        status, body = _post(predict_url, self.body(), name)
        fix = "package the model whose answer golden-request.json holds, or correct that file"
        if status != 200:
            raise ServingError(f"{name} was answered {status}, 200 is needed: {_error_of(body)}", fix)
        if difference := self.difference(body):
            raise ServingError(f"{name} was not answered as expected: {difference}", fix)


def read_answer(body: bytes) -> Any:
    """The JSON of an answer: of all of it, else of the end of it, for a handler may send parts before.

    Raises:
        UnreadableError: There is none.
    """
    try:
        return read_json(body, len(body))
    except UnreadableError:
        start = body.find(_ANSWER_START)
        while start >= 0:
            with contextlib.suppress(UnreadableError):
                return read_json(body[start:], len(body))
            start = body.find(_ANSWER_START, start + 1)
        raise


def request_faults(content: dict[str, Any]) -> list[str]:
    """What keeps an object from being a `PredictionRequest`."""
    faults = [
        f"{shortened(repr(name))} is no field of it; {', '.join(FIELDS)} are"
        for name in [name for name in content if name not in FIELDS][:_MOST_FIELDS]
    ]
    instances, predictions = content.get("instances"), content.get("predictions")
    tolerance = content.get("tolerance", DEFAULT_TOLERANCE)
    if not isinstance(instances, list) or not instances:
        faults.append(f'"instances" must be a list of at least one instance, got {_shown(instances)}')
    if not isinstance(content.get("parameters", {}), dict):
        faults.append(f'"parameters" must be an object, got {_shown(content["parameters"])}')
    if "predictions" in content and not isinstance(predictions, list):
        faults.append(f'"predictions" must be a list, got {_shown(predictions)}')
    elif isinstance(predictions, list) and isinstance(instances, list) and len(predictions) != len(instances):
        faults.append(f'{len(predictions)} "predictions" for {len(instances)} "instances"')
    if not is_number(tolerance) or not 0 <= tolerance < math.inf:
        faults.append(f'"tolerance" must be a number of 0 or more, got {_shown(tolerance)}')
    return faults


def _shown(value: Any) -> str:
    return shortened(json.dumps(value))


def _error_of(body: bytes) -> str:
    """The envelope's `error`, or the start of any other body."""
    try:
        text = str(read_json(body, len(body))["error"])
    except (UnreadableError, KeyError, TypeError):
        text = body.decode(errors="replace")
    return text[:_SHOWN_ERROR_CHARACTERS]


def _post(url: str, body: bytes, name: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 (our own, http)
    # Loopback, whatever proxy the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, HTTPException) as error:
        raise ServingError(f"{name} got no answer: {error}", "look for the cause in the log") from error
