"""What the envelope takes from a request, and how it refuses one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving.envelope.torchserve_worker import import_torchserve, load_service, send

ECHO = """\
def handle(data, context):
    if data is None:
        return None
    return [
        {"got": item.decode() if isinstance(item, bytes) else item, "with": parameters}
        for item, parameters in zip(data, context.instance_parameters, strict=True)
    ]
"""
IMAGE = """\
def handle(data, context):
    return data and [{name: repr(value) for name, value in item.items()} for item in data]
"""


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_service(tmp_path_factory.mktemp("echo"), ECHO)


def test_instances_of_all_requests_reach_the_handler_with_their_own_parameters(echo: Any) -> None:
    first, second, third = send(
        echo,
        {"instances": ["a", {"b64": "Yg=="}], "parameters": {"k": 1}},
        {"instances": [{"b64": "Yw=="}, "d"]},
        {"instances": [5], "parameters": None},
    )
    assert first.body == {"predictions": [{"got": "a", "with": {"k": 1}}, {"got": "b", "with": {"k": 1}}]}
    assert second.body == {"predictions": [{"got": "c", "with": {}}, {"got": "d", "with": {}}]}
    assert third.body == {"predictions": [{"got": 5, "with": {}}]}
    assert [answer.status for answer in (first, second, third)] == [200, 200, 200]
    assert {answer.headers["content-type"] for answer in (first, second, third)} == {"application/json"}


def test_a_handler_that_changes_parameters_changes_them_for_one_instance(tmp_path: Path) -> None:
    service = load_service(
        tmp_path,
        "def handle(data, context):\n    return data and [p.pop('k') for p in context.instance_parameters]\n",
    )
    (answer,) = send(service, {"instances": ["a", "b"], "parameters": {"k": 7}})
    assert answer.body == {"predictions": [7, 7]}


def test_base64_one_level_below_an_instance_and_broken_into_lines(tmp_path: Path) -> None:
    service = load_service(tmp_path, IMAGE)
    (answer,) = send(
        service,
        {"instances": [{"image": {"b64": "aGVs\nbG8=\n"}, "meta": {"b64": "aA==", "k": 1}, "size": 5}]},
    )
    assert answer.body == {
        "predictions": [{"image": "b'hello'", "meta": "{'b64': 'aA==', 'k': 1}", "size": "5"}]
    }


@pytest.mark.parametrize("name", ["body", "data"])
def test_body_and_data_are_the_same(echo: Any, name: str) -> None:
    (answer,) = send(echo, {"instances": ["a"]}, name=name)
    assert answer.body == {"predictions": [{"got": "a", "with": {}}]}


def test_a_form_field_called_instances(echo: Any) -> None:
    (answer,) = send(echo, ["a"], name="instances")
    assert answer.body == {"predictions": [{"got": "a", "with": {}}]}


def test_bodies_that_torchserve_has_parsed_already(echo: Any) -> None:
    from ts.context import RequestProcessor

    echo.context.request_processor = [RequestProcessor({}), RequestProcessor({})]
    answers = echo._entry_point([{"body": {"instances": ["a"]}}, {"instances": {"b": 1}}], echo.context)
    assert [json.loads(answer) for answer in answers] == [
        {"predictions": [{"got": "a", "with": {}}]},
        {"error": '"instances" must be a list, got an object'},
    ]
    assert [one.get_response_status_code() for one in echo.context.request_processor] == [200, 400]


def test_nothing_to_predict_never_reaches_the_handler(tmp_path: Path) -> None:
    service = load_service(
        tmp_path, "def handle(data, context):\n    return None if data is None else 1 / 0\n"
    )
    empty, malformed = send(service, {"instances": []}, {"instances": "hello"})
    assert (empty.status, empty.body) == (200, {"predictions": []})
    assert malformed.status == 400


MANY = "the body holds more than 1000000 lists or 250000 objects: send fewer instances at a time"
SHAPE = 'the body must be {"instances": [...], "parameters": {...}}'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", f'"instances" is missing; {SHAPE}'),
        (b"{}", f'"instances" is missing; {SHAPE}'),
        (b'{"inputs": ["a"]}', f'"instances" is missing; {SHAPE}'),
        (b"[1]", f"{SHAPE}, got a list"),
        (b"7", f"{SHAPE}, got a number"),
        (b'"text"', f"{SHAPE}, got a string"),
        (b'{"instances": "hello"}', '"instances" must be a list, got a string'),
        (b'{"instances": {}}', '"instances" must be a list, got an object'),
        (b'{"instances": null}', '"instances" must be a list, got null'),
        (b'{"instances": true}', '"instances" must be a list, got a boolean'),
        (
            b'{"instances": [' + b"[]," * 100_000 + b"[]]}",
            '"instances" has 100001 entries, at most 100000 are taken: send fewer at a time',
        ),
        (b'{"instances": [[' + b"[]," * 1_000_000, MANY),
        (b'{"instances": [[' + b"{}," * 250_000, MANY),
        (b'{"instances": ["a"], "parameters": [1]}', '"parameters" must be an object, got a list'),
        (b'{"instances": [], "parameters": 0}', '"parameters" must be an object, got a number'),
        (b'{"instances": ["a"', "the body is not valid JSON: Expecting ',' delimiter at line 1 column 19"),
        (b"\xff\xd8\xff", "the body is not valid UTF-8 at byte 0"),
        (b'{"instances": ["\xc3"]}', "the body is not valid UTF-8 at byte 16"),
        (b'{"instances": [1' + b"0" * 5000 + b"]}", "the body holds a number with too many digits"),
        (b'{"instances": ' + b"[" * 100_000, "the body is nested too deeply"),
        (b'{"instances": [1], "instances": [2]}', "an object has the field 'instances' twice"),
        (b'{"instances": [{"x": 1, "y": 2, "x": 3}]}', "an object has the field 'x' twice"),
        (b'{"instances": ["a", {"b64": 5}]}', "instances[1].b64 must be a string, got a number"),
        (b'{"instances": [{"b64": "a"}]}', "instances[0].b64 is not valid base64"),
        (b'{"instances": [{"image": {"b64": "_-_-"}}]}', "instances[0].image.b64 is not valid base64"),
        (b'{"instances": [{"b64": "\xc3\xa4\xc3\xa4"}]}', "instances[0].b64 is not valid base64"),
    ],
)
def test_a_malformed_request_is_refused_alone(echo: Any, body: bytes, message: str) -> None:
    good = {"instances": ["a"]}
    before, malformed, after = send(echo, good, body, good)
    assert (malformed.status, malformed.body) == (400, {"error": message})
    assert malformed.headers["content-type"] == "application/json"
    assert before.body == after.body == {"predictions": [{"got": "a", "with": {}}]}


def test_brackets_in_texts_are_no_lists(echo: Any) -> None:
    text = "[{" * 1_100_000 + '\\"[' * 3
    answer = send(echo, {"instances": [text]})[0]
    assert (answer.status, answer.body) == (200, {"predictions": [{"got": text, "with": {}}]})


def test_nan_in_a_request_is_passed_on_as_the_json_envelope_does(tmp_path: Path) -> None:
    service = load_service(
        tmp_path, "def handle(data, context):\n    return data and [x != x for x in data]\n"
    )
    (answer,) = send(service, b'{"instances": [NaN, 1.5]}')
    assert answer.body == {"predictions": [True, False]}


def test_explanations_are_never_mixed_with_predictions(tmp_path: Path) -> None:
    service = load_service(
        tmp_path,
        "def handle(data, context):\n"
        "    explain = data and context.get_request_header(0, 'explain')\n"
        "    return data and [[item, len(data), explain] for item in data]\n",
    )
    bodies = [{"instances": [name]} for name in "abc"]
    answers = send(service, *bodies, headers=[{}, {"explain": "True"}, {}])
    assert [answer.body["predictions"] for answer in answers] == [
        [["a", 2, None]],
        [["b", 1, "True"]],
        [["c", 2, None]],
    ]
