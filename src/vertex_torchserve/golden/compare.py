"""Compare what a model answers with what is expected: with a recorded answer, or with another model's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.golden.model_asked import Answering
from vertex_torchserve.golden.record import LEAST_TOLERANCE
from vertex_torchserve.serving.archive.answer_differences import Difference, differences
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

_MOST_SHOWN = 20


@dataclass(frozen=True)
class InstanceCompared:
    """One instance, and its two predictions.

    Attributes:
        request: Number of the request, from 1 on.
        instance: Number of the instance in it, from 0 on.
        tolerance: How far numbers may be apart.
        furthest: How far the numbers that differ most are apart, as a tolerance counts it.
        differences: Where they differ by more than the tolerance.
    """

    request: int
    instance: int
    tolerance: float
    furthest: float
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "request": self.request,
            "instance": self.instance,
            "changed": bool(self.differences),
            "tolerance": self.tolerance,
            "furthest": self.furthest,
            "differences": [
                {"path": each.path, "expected": each.expected, "got": each.got, "by": each.by}
                for each in self.differences[:_MOST_SHOWN]
            ],
            "differences_in_all": len(self.differences),
        }


def require_answers(requests: Sequence[PredictionRequest]) -> None:
    """Refuse requests that nothing can be compared with.

    Raises:
        InputError: One holds no predictions.
    """
    bare = [number for number, request in enumerate(requests, start=1) if request.predictions is None]
    if bare:
        raise InputError(
            Problem(
                f"request {bare[0]} holds no predictions, so there is nothing to compare the answer with",
                "record the answers with `vertex-torchserve golden record`",
            )
        )


def replay(model: Answering, requests: Sequence[PredictionRequest]) -> list[InstanceCompared]:
    """Ask a model for the answers that are recorded.

    Args:
        model: The model.
        requests: What to ask. One without predictions has to be answered, whatever the answer is.

    Raises:
        ServingError: The model refuses a request.
    """
    result = []
    for number, request in enumerate(requests, start=1):
        answer = _answer(model, request, number, len(requests))
        expected = answer if request.predictions is None else request.predictions
        result += compared(number, expected, answer, request.tolerance)
    return result


def answers(model: Answering, requests: Sequence[PredictionRequest]) -> list[list[Any]]:
    """What a model answers each request.

    Raises:
        ServingError: It refuses one.
    """
    return [
        _answer(model, request, number, len(requests)) for number, request in enumerate(requests, start=1)
    ]


def tolerance_of(request: PredictionRequest) -> float:
    """The tolerance of a recorded answer; where none was recorded, the least."""
    return LEAST_TOLERANCE if request.predictions is None else request.tolerance


def compared(number: int, expected: list[Any], got: list[Any], tolerance: float) -> list[InstanceCompared]:
    """Two answers to one request, instance by instance.

    Args:
        number: Of the request.
        expected: One prediction for each instance.
        got: Others.
        tolerance: How far numbers may be apart.
    """
    return [
        InstanceCompared(
            number,
            index,
            tolerance,
            furthest=max(
                (
                    each.by / max(1.0, abs(each.expected), abs(each.got))
                    for each in differences(one, other, "", 0.0)
                    if each.by is not None
                ),
                default=0.0,
            ),
            differences=tuple(differences(one, other, f"predictions[{index}]", tolerance)),
        )
        for index, (one, other) in enumerate(zip(expected, got, strict=True))
    ]


def _answer(model: Answering, request: PredictionRequest, number: int, of: int) -> list[Any]:
    return model.predictions(request, f"request {number} of {of}")
