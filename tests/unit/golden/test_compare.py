"""What two answers differ in, instance by instance."""

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.golden.compare import compared, require_answers, tolerance_of
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest


def test_the_instance_that_changed_and_by_how_much() -> None:
    before = [{"label": "a", "score": 0.5}, {"label": "b", "score": 100.0}, {"label": "c", "score": 1.0}]
    after = [{"score": 0.5000001, "label": "a"}, {"label": "b", "score": 101.0}, {"label": "d", "score": 1.0}]
    same, number, text = compared(2, before, after, 1e-5)
    assert (same.request, same.instance, same.differences) == (2, 0, ())
    assert same.furthest == pytest.approx(1e-7)
    assert [(each.path, each.by) for each in number.differences] == [("predictions[1].score", 1.0)]
    assert number.furthest == pytest.approx(1 / 101)
    assert text.as_json() == {
        "request": 2,
        "instance": 2,
        "changed": True,
        "tolerance": 1e-5,
        "furthest": 0.0,
        "differences": [{"path": "predictions[2].label", "expected": "c", "got": "d", "by": None}],
        "differences_in_all": 1,
    }


def test_a_request_without_predictions_can_not_be_replayed() -> None:
    with pytest.raises(InputError, match="request 2 holds no predictions"):
        require_answers([PredictionRequest([1], predictions=[1]), PredictionRequest([1])])


def test_the_tolerance_is_the_recorded_one() -> None:
    assert tolerance_of(PredictionRequest([1], predictions=[1], tolerance=0.1)) == 0.1
    assert tolerance_of(PredictionRequest([1])) == 1e-5
