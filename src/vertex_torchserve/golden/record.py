"""Record golden requests: what a model answers, and how far its own answers are apart.

The tolerance is measured. A model's numbers differ a little with the batch it is asked in, because other
kernels run; on some devices they differ from one time to the next. A tolerance below that fails a good model,
one far above it passes a changed one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vertex_torchserve.errors import ServingError
from vertex_torchserve.golden.model_asked import ModelAsked
from vertex_torchserve.serving.archive.answer_differences import differences
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

REPEATS = 3
# A request of one instance is asked in a batch of this many, too.
_BATCH = 4
# What is measured here is not all: another processor has other kernels, which add up in another order. Single
# precision rounds at 6e-8 (IEEE 754); this leaves room for some hundred such roundings.
LEAST_TOLERANCE = 1e-5
_MARGIN = 10.0
# Beyond this the answers are not those of one model any more.
_MOST_MEASURED = 1e-2


@dataclass(frozen=True)
class Recorded:
    """A request with its answer.

    Attributes:
        request: With the model's predictions, and the tolerance.
        repeats: How far the answers to the same request were apart, as a tolerance counts it.
        batches: How far the answers in batches of other sizes were from that.
    """

    request: PredictionRequest
    repeats: float
    batches: float


def record(
    model: ModelAsked, requests: Sequence[PredictionRequest], tolerance: float | None = None
) -> list[Recorded]:
    """Ask a model, several times and in several batches.

    Args:
        model: The model.
        requests: What to ask; predictions in them are replaced.
        tolerance: Written in place of the measured one, which is ten times what was measured and at least
            `LEAST_TOLERANCE`. With it answers may be any distance apart, but in numbers only.

    Raises:
        ServingError: The model refuses a request, or does not answer it the same way each time.
    """
    recorded = []
    for number, request in enumerate(requests, start=1):
        name = f"request {number} of {len(requests)}"
        first = model.predictions(request, name)
        again = [model.predictions(request, name) for _ in range(REPEATS - 1)]
        repeats = max(_distance(first, each, name, "asked again") for each in again)
        batches = _distance(first, _in_other_batches(model, request, name), name, "asked in another batch")
        measured = max(repeats, batches)
        if tolerance is None and measured > _MOST_MEASURED:
            raise ServingError(
                f"{name} is answered with numbers that are {measured:.2g} apart; up to {_MOST_MEASURED:g} is "
                "accepted",
                "make its parameters repeatable (a seed, no sampling), or give --tolerance",
            )
        chosen = rounded_up(max(measured * _MARGIN, LEAST_TOLERANCE)) if tolerance is None else tolerance
        recorded.append(Recorded(replace(request, predictions=first, tolerance=chosen), repeats, batches))
    return recorded


def rounded_up(value: float) -> float:
    """A positive number with two digits, not below it."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.2g}")


def _in_other_batches(model: ModelAsked, request: PredictionRequest, name: str) -> list[Any]:
    """The predictions for the same instances: each alone, or one in a batch of four."""
    if len(request.instances) == 1:
        batch = replace(request, instances=request.instances * _BATCH, predictions=None)
        return model.predictions(batch, f"{name}, {_BATCH} times in one")[-1:]
    return [
        model.predictions(replace(request, instances=[instance], predictions=None), f"{name}, {index} alone")[
            0
        ]
        for index, instance in enumerate(request.instances)
    ]


def _distance(first: list[Any], other: list[Any], name: str, how: str) -> float:
    """How far two answers are apart: the tolerance that they would need."""
    furthest = 0.0
    for difference in differences(first, other, "predictions", 0.0):
        if difference.by is None:
            raise ServingError(
                f"{name} {how} is answered otherwise: {difference.said}",
                "make its parameters repeatable (a seed, no sampling), or ask each instance by itself",
            )
        furthest = max(furthest, difference.by / max(1.0, abs(difference.expected), abs(difference.got)))
    return furthest
