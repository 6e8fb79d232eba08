"""Files of requests: the forms that are read, and what is said of the others."""

from pathlib import Path
from typing import Any

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import (
    RequestFile,
    parse_request_file,
    read_request_file,
    request_file_text,
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '["x", {"y": 1}]', [PredictionRequest(["x", {"y": 1}])]),
        ("a.json", '{"instances": [1, 2]}', [PredictionRequest([1, 2])]),
        (
            "a.json",
            '{"instances": [1], "parameters": {"k": 1}, "predictions": [2], "tolerance": 0}',
            [PredictionRequest([1], {"k": 1}, [2], 0)],
        ),
        (
            "a.json",
            '[{"instances": [1]}, {"instances": [2], "parameters": {"k": 1}}]',
            [PredictionRequest([1]), PredictionRequest([2], {"k": 1})],
        ),
        ("a.json", '{"requests": [{"instances": [1]}]}', [PredictionRequest([1])]),
        ("a.jsonl", '{"text": "a"}\n\n"b"\n', [PredictionRequest([{"text": "a"}, "b"])]),
        ("a.jsonl", '"a\u2028b"\n', [PredictionRequest(["a\u2028b"])]),
        (
            "a.ndjson",
            '{"instances": [1]}\r\n{"instances": [2]}',
            [PredictionRequest([1]), PredictionRequest([2])],
        ),
    ],
)
def test_forms(tmp_path: Path, name: str, text: str, expected: list[PredictionRequest]) -> None:
    (tmp_path / name).write_text(text)
    assert read_request_file(tmp_path / name) == RequestFile(expected)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '"hello"', "holds a str; a list of instances, or an object with instances, parameters"),
        ("a.json", "{}", '"instances" must be a list of at least one instance, got null'),
        (
            "a.json",
            '{"instances": "hello"}',
            '"instances" must be a list of at least one instance, got "hello"',
        ),
        ("a.json", "[]", "holds an empty list"),
        ("a.json", "[1,", "is not JSON"),
        ("a.json", "[" * 100_000, "nests more than 100 lists and objects in each other"),
        ("a.json", "[" * 101 + "]" * 101, "nests more than 100 lists and objects in each other"),
        ("a.json", f"[{'9' * 400}]", "holds a number of 400 digits"),
        ("a.json", "[1e400]", "holds the number 1e400; at most 1.797e308 is accepted"),
        ("a.json", f'["{"a" * (32 << 20)}"]', "has more than 33,554,432 bytes, the most that is accepted"),
        ("a.jsonl", "", "holds an empty list"),
        ("a.jsonl", '"a"\n"b', "in line 2 is not JSON"),
        ("a.jsonl", '{"instances": [1]}\n"b"', ", line 2: an instance stands among requests"),
        ("a.jsonl", f'"{"a" * (32 << 20)}"', "has more than 33,554,432 bytes, the most that is accepted"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_none(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as raised:
        read_request_file(tmp_path / name)
    assert expected in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_request_file(tmp_path / "none.json")
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        read_request_file(tmp_path)


def test_no_more_than_ten_faults_are_named() -> None:
    with pytest.raises(InputError, match="10 problems with the input"):
        parse_request_file(b'[{"instances": 1}, ' + b"2, " * 50 + b"3]", "a.json")


@pytest.mark.parametrize("model", ["", "bert"])
def test_what_is_written_is_read_again(model: str) -> None:
    requests: list[Any] = [
        PredictionRequest([1]),
        PredictionRequest(["\ud800"], {"k": 1}, [{"a": 0.1}], 1e-6),
    ]
    content = RequestFile(requests, model)
    assert parse_request_file(request_file_text(content).encode(), "a.json") == content
