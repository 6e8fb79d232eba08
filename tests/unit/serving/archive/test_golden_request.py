"""The golden request: what is accepted in its file, and which answers pass."""

import json
from pathlib import Path
from typing import Any

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.golden_request import parse_golden_request, read_golden_requests
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest


def golden(**fields: Any) -> PredictionRequest:
    (request,) = parse_golden_request(json.dumps({"instances": ["a"], **fields}).encode()).requests
    return request


def difference(expected: Any, got: Any, **fields: Any) -> str:
    request = golden(predictions=[expected], **fields)
    return request.difference(json.dumps({"predictions": [got]}).encode())


def test_all_but_the_instances_may_be_missing() -> None:
    assert golden() == PredictionRequest(["a"], None, None, 0.001)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("{", ["golden-request.json is not JSON: "]),
        ("[" * 100_000, ["golden-request.json nests more than 100 lists and objects in each other"]),
        ('{"instances": [1' + "0" * 399 + "]}", ["golden-request.json holds a number of 400 digits (1000"]),
        ('{"instances": [-1e999]}', ["golden-request.json holds the number -1e999; at most 1.797e308"]),
        ('{"instances": ' + "[" * 100 + "]" * 100 + "}", ["golden-request.json nests more than 100 lists"]),
        (" " * (32 << 20) + "{}", ["golden-request.json has more than 33,554,432 bytes"]),
        ('{"instances": [NaN]}', ["golden-request.json is not JSON: NaN is no JSON number"]),
        ("[]", ["golden-request.json holds an empty list; a list of instances, or an object with"]),
        ("1", ["golden-request.json holds a int; a list of instances, or an object with"]),
        (
            '[{"instances": []}, 1, {"instances": [1], "x": 1}]',
            [
                'golden-request.json, request 1: "instances" must be a list of at least one instance, got []',
                "golden-request.json, request 2: an instance stands among requests",
                "golden-request.json, request 3: 'x' is no field of it; instances, parameters, ",
            ],
        ),
        (
            '{"requests": [1], "model": 1, "made": "x"}',
            [
                "golden-request.json: 'made' is no field beside requests; model is",
                'golden-request.json: "model" must be the name of the model',
                'golden-request.json: "requests" must be a list of objects with "instances"',
            ],
        ),
        ('{"requests": []}', ["golden-request.json holds an empty list"]),
        ("{}", ['golden-request.json: "instances" must be a list of at least one instance, got null']),
        (
            '{"instances": [1], "predictons": [2], "parameters": [], "predictions": 1, "tolerance": true}',
            [
                "golden-request.json: 'predictons' is no field of it; instances, parameters, ",
                'golden-request.json: "parameters" must be an object, got []',
                'golden-request.json: "predictions" must be a list, got 1',
                'golden-request.json: "tolerance" must be a number of 0 or more, got true',
            ],
        ),
        (
            '{"instances": [1], "predictions": [1, 2], "tolerance": -1}',
            [
                'golden-request.json: 2 "predictions" for 1 "instances"',
                'golden-request.json: "tolerance" must be a number of 0 or more, got -1',
            ],
        ),
    ],
)
def test_everything_wrong_with_the_file_is_said(text: str, faults: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_golden_request(text.encode())
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == len(faults)
    for message, fault in zip(messages, faults, strict=True):
        assert message.startswith(fault)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, 1.0),
        (0.0, 0.0009),  # absolute
        (1000.0, 1000.9),  # relative
        ([{"label": "a", "score": 0.5, "seen": None}], [{"seen": None, "score": 0.5004, "label": "a"}]),
        (True, True),
    ],
)
def test_answers_that_pass(expected: Any, got: Any) -> None:
    assert difference(expected, got) == ""


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (0.0, 0.0011, "predictions[0]: expected 0.0, got 0.0011; the tolerance is 0.001"),
        (1000.0, 1001.2, "predictions[0]: expected 1000.0, got 1001.2; the tolerance is 0.001"),
        (1, True, "predictions[0]: expected 1, got true"),
        (None, 0, "predictions[0]: expected null, got 0"),
        ([1, [2, 3]], [1, [2, 4]], "predictions[0][1][1]: expected 3, got 4; the tolerance is 0.001"),
        ([1, 2], [1], "predictions[0]: expected 2 values, got 1"),
        ({"a": "x"}, {"a": "y"}, 'predictions[0].a: expected "x", got "y"'),
        ({"a": 1}, {"b": 1}, 'predictions[0]: expected the fields ["a"], got ["b"]'),
        ([1], {"a": 1}, 'predictions[0]: expected [1], got {"a": 1}'),
        ("a", "b" * 1000, 'predictions[0]: expected "a", got "' + "b" * 79 + "..."),
    ],
)
def test_where_an_answer_differs(expected: Any, got: Any, said: str) -> None:
    assert difference(expected, got) == said


def test_the_tolerance_is_the_files() -> None:
    assert difference(1.0, 1.4, tolerance=0.5) == ""
    assert difference(1.0, 1.0000001, tolerance=0) == (
        "predictions[0]: expected 1.0, got 1.0000001; the tolerance is 0"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"predictions": ["anything"]}', ""),
        (b'{"predictions": [1, 2]}', "2 predictions for 1 instances"),
        (b'{"predictions": 1}', 'the answer has no list "predictions"'),
        (
            b'{"predictions": [' + b"[" * 900 + b"]" * 900 + b"]}",
            "the answer nests more than 100 lists and objects in each other, the most that is accepted",
        ),
        (b'{"predictions": [NaN]}', "the answer is not JSON: NaN is no JSON number"),
    ],
)
def test_without_predictions_their_number_counts(body: bytes, said: str) -> None:
    assert golden().difference(body) == said


def test_several_and_the_model_whose_answers_they_hold(tmp_path: Path) -> None:
    assert read_golden_requests(tmp_path, "bert") == []
    file = tmp_path / "golden-request.json"
    file.write_text(
        '{"model": "bert", "requests": [{"instances": ["a"]}, {"instances": [1], "parameters": {}}]}'
    )
    assert read_golden_requests(tmp_path, "bert") == [PredictionRequest(["a"]), PredictionRequest([1], {})]
    with pytest.raises(InputError, match="holds the answers of the model 'bert'; this one is 'bart'"):
        read_golden_requests(tmp_path, "bart")


def test_every_place_where_an_answer_differs() -> None:
    request = golden(instances=["a", "b"], predictions=[{"x": 1.0, "y": "p"}, 2.0], tolerance=0.1)
    found = request.differences([{"y": "q", "x": 1.5}, 2.0])
    assert [(each.path, each.by) for each in found] == [("predictions[0].x", 0.5), ("predictions[0].y", None)]
