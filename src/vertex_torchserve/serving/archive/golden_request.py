"""The golden request: what a model must answer before it is called ready (`golden-request.json`).

An archive may hold one at its root:

    {"instances": [...], "parameters": {...}, "predictions": [...], "tolerance": 1e-3}

All but `instances` may be missing. With `predictions` the answer is compared with them; without, it must be
as many predictions as instances.
"""

import contextlib
import json
import math
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem, ServingError, raise_problems
from vertex_torchserve.serving.archive.bounded_text import (
    UnreadableError,
    read_json,
    read_start,
    shortened,
)
from vertex_torchserve.serving.archive.member_names import GOLDEN_REQUEST_NAME

DEFAULT_TOLERANCE = 1e-3
# A request and an answer of 10 MB each, the server's default limits, fit with their line breaks and indents.
MOST_GOLDEN_BYTES = 32 << 20
# A model may compile itself on its first request.
_TIMEOUT_SECONDS = 600.0
_FIELDS = ("instances", "parameters", "predictions", "tolerance")
_FIX = f"correct {GOLDEN_REQUEST_NAME} and package the model again"
_MOST_FIELDS = 5  # that are named as no fields of it
_SHOWN_ERROR_CHARACTERS = 500


@dataclass(frozen=True)
class GoldenRequest:
    """A request whose answer is known.

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

    @classmethod
    def parse(cls, text: bytes) -> "GoldenRequest":
        """Read the file's content, or a little more of it than `MOST_GOLDEN_BYTES`.

        Raises:
            InputError: With everything that is wrong with it, or the limit it is beyond (`bounded_text`).
        """
        try:
            content = read_json(text, MOST_GOLDEN_BYTES)
        except UnreadableError as error:
            raise InputError(Problem(f"{GOLDEN_REQUEST_NAME} {error}", _FIX)) from error
        if not isinstance(content, dict):
            fault = f"{GOLDEN_REQUEST_NAME} must hold an object with {', '.join(_FIELDS)}"
            raise InputError(Problem(fault, _FIX))
        raise_problems([Problem(f"{GOLDEN_REQUEST_NAME}: {fault}", _FIX) for fault in _faults(content)])
        return cls(**content)

    def check(self, predict_url: str) -> None:
        """Send it, and compare the answer.

        Raises:
            ServingError: The answer is not 200, or not the one that is expected; says where it differs.
        """
        status, body = _post(predict_url, self.body())
        if status != 200:
            raise ServingError(
                f"the golden request was answered {status}, 200 is needed: {_error_of(body)}", _FIX_MODEL
            )
        difference = self.difference(body)
        if difference:
            raise ServingError(f"the golden request was not answered as expected: {difference}", _FIX_MODEL)

    def difference(self, body: bytes) -> str:
        """Where an answer differs from the expected one, and how; empty when it does not.

        Args:
            body: All of the answer, with what the handler sent before it in parts.
        """
        try:
            answer = read_answer(body)
        except UnreadableError as error:
            return f"the answer {error}"
        predictions = answer.get("predictions") if isinstance(answer, dict) else None
        if not isinstance(predictions, list):
            return 'the answer has no list "predictions"'
        if len(predictions) != len(self.instances):
            return f"{len(predictions)} predictions for {len(self.instances)} instances"
        if self.predictions is None:
            return ""
        return _difference(self.predictions, predictions, "predictions", self.tolerance)

    def body(self) -> bytes:
        """What is posted: `{"instances": [...], "parameters": {...}}`."""
        body: dict[str, Any] = {"instances": self.instances}
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return json.dumps(body).encode()


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


def read_golden_request(model_folder: Path) -> GoldenRequest | None:
    """The golden request of an unpacked archive; None when it has none.

    Raises:
        InputError: With everything that is wrong with it.
    """
    file = model_folder / GOLDEN_REQUEST_NAME
    return load_golden_request(file) if file.is_file() else None


def load_golden_request(file: Path) -> GoldenRequest:
    """Read a `golden-request.json`, as `GoldenRequest.parse` does; one that is too long is not read whole.

    Raises:
        InputError: With everything that is wrong with it.
    """
    return GoldenRequest.parse(read_start(file, MOST_GOLDEN_BYTES))


_ANSWER_START = b'{"predictions": '  # as the envelope writes it
_FIX_MODEL = f"package the model whose answer {GOLDEN_REQUEST_NAME} holds, or correct that file"


def _faults(content: dict[str, Any]) -> list[str]:
    faults = [
        f"{shortened(repr(name))} is no field of it; {', '.join(_FIELDS)} are"
        for name in [name for name in content if name not in _FIELDS][:_MOST_FIELDS]
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
    if not _is_number(tolerance) or not 0 <= tolerance < math.inf:
        faults.append(f'"tolerance" must be a number of 0 or more, got {_shown(tolerance)}')
    return faults


def _difference(expected: Any, got: Any, path: str, tolerance: float) -> str:
    if isinstance(expected, dict) and isinstance(got, dict):
        if expected.keys() != got.keys():
            return f"{path}: expected the fields {_shown(sorted(expected))}, got {_shown(sorted(got))}"
        pairs = [(f"{path}.{shortened(name)}", value, got[name]) for name, value in expected.items()]
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{path}: expected {len(expected)} values, got {len(got)}"
        pairs = [
            (f"{path}[{index}]", *values) for index, values in enumerate(zip(expected, got, strict=True))
        ]
    elif _is_number(expected) and _is_number(got):
        if math.isclose(expected, got, rel_tol=tolerance, abs_tol=tolerance):
            return ""
        return f"{path}: expected {expected!r}, got {got!r}; the tolerance is {tolerance:g}"
    else:
        same = type(expected) is type(got) and expected == got
        return "" if same else f"{path}: expected {_shown(expected)}, got {_shown(got)}"
    return next(filter(None, (_difference(one, other, name, tolerance) for name, one, other in pairs)), "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return shortened(json.dumps(value))


def _error_of(body: bytes) -> str:
    """The envelope's `error`, or the start of any other body."""
    try:
        text = str(read_json(body, len(body))["error"])
    except (UnreadableError, KeyError, TypeError):
        text = body.decode(errors="replace")
    return text[:_SHOWN_ERROR_CHARACTERS]


def _post(url: str, body: bytes) -> tuple[int, bytes]:
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
        raise ServingError(f"the golden request got no answer: {error}", _FIX_MODEL) from error
