"""The smoke test against a real TorchServe: what it says of right and of wrong archives."""

import json
from pathlib import Path

import pytest

from testbed.archives import HANDLED_BEFORE, RAISING_HANDLER, SHORT_HANDLER, write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.smoke_test.instances import read_instances
from vertex_torchserve.smoke_test.run import run_smoke_test


def test_an_archive_that_serves(tmp_path: Path) -> None:
    report = run_smoke_test(write_archive(tmp_path), ["a", "b"])
    assert [(check.name, check.ok) for check in report.checks] == [
        ("archive", True),
        ("ready", True),
        ("status", True),
        ("json", True),
        ("predictions", True),
        ("stopped", True),
    ]
    assert report.ok
    assert report.failure() == ""
    assert report.predictions == [{"echo": "a"}, {"echo": "b"}]
    assert report.ready_seconds is not None
    assert report.ready_seconds > 0


STREAMING_HANDLER = """\
from ts.handler_utils.utils import send_intermediate_predict_response


def handle(data, context):
    if data is None:
        return None
    for part in ("part 0 ", '{"predictions": "part 1" '):
        send_intermediate_predict_response([part] * len(data), context.request_ids, "", 200, context)
    return ["end"] * len(data)
"""


def test_a_handler_that_sends_parts_before_its_answer(tmp_path: Path) -> None:
    report = run_smoke_test(write_archive(tmp_path, STREAMING_HANDLER), ["a"])
    assert report.failure() == ""
    assert report.predictions == ["end"]


def test_too_few_predictions(tmp_path: Path) -> None:
    report = run_smoke_test(write_archive(tmp_path, SHORT_HANDLER), ["a", "b", "c"])
    assert not report.ok
    assert "the handler returned 2 predictions for 3 instances" in report.failure()
    assert report.predictions == []


def test_a_handler_that_raises_at_a_prediction(tmp_path: Path) -> None:
    report = run_smoke_test(write_archive(tmp_path, HANDLED_BEFORE + RAISING_HANDLER), ["a"])
    assert [check.name for check in report.checks if not check.ok] == ["status"]
    assert "200 is needed" in report.failure()
    assert "KeyError(\"'vocabulary'\")" in report.failure()
    assert "handler.py:9 handle" in report.failure()
    assert "not_there" not in report.failure()


def test_without_instances_the_golden_request_is_sent_and_its_predictions_compared(tmp_path: Path) -> None:
    golden = '{"instances": ["a", 2], "predictions": [{"echo": "a"}, {"echo": 2}]}'
    report = run_smoke_test(write_archive(tmp_path, files={"golden-request.json": golden}))
    assert report.failure() == ""
    assert report.predictions == [{"echo": "a"}, {"echo": 2}]
    assert "those that golden-request.json expects" in report.checks[-2].detail


def test_neither_instances_nor_a_golden_request(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no instances are given, and .*model.mar holds no golden-request"):
        run_smoke_test(write_archive(tmp_path))
    with pytest.raises(InputError, match='"instances" must be a list'):
        run_smoke_test(write_archive(tmp_path, files={"golden-request.json": '{"instances": "a"}'}))


def test_it_is_not_ready_in_time(tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(600)\ndef handle(data, context): ...\n"
    report = run_smoke_test(write_archive(tmp_path, slow), ["a"], ready_timeout_seconds=5)
    assert report.ready_seconds is None
    assert "was not ready after 5 s" in report.failure()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '["x", {"y": 1}]', ["x", {"y": 1}]),
        ("a.json", '{"instances": [1, 2]}', [1, 2]),
        ("a.jsonl", '{"text": "a"}\n\n"b"\n', [{"text": "a"}, "b"]),
        ("a.jsonl", '"a\u2028b"\n', ["a\u2028b"]),
    ],
)
def test_instances(tmp_path: Path, name: str, text: str, expected: list[object]) -> None:
    (tmp_path / name).write_text(text)
    assert read_instances(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"hello"', "holds a str; a JSON list of at least one instance is needed"),
        ("{}", r"holds an object with the keys \[\]"),
        ('{"instances": "hello"}', r"holds an object with the keys \['instances'\]"),
        ("[]", "holds a list of 0"),
        ("[1,", "is not JSON"),
        ("[" * 100_000, "nests more than 100 lists and objects in each other"),
        ("[" * 101 + "]" * 101, "nests more than 100 lists and objects in each other"),
        (f"[{'9' * 400}]", "holds a number of 400 digits"),
        ("[1e400]", "holds the number 1e400; at most 1.797e308 is accepted"),
        (f'["{"a" * (32 << 20)}"]', "has more than 33,554,432 bytes, the most that is accepted"),
    ],
    ids=lambda value: value[:24],
)
def test_instances_that_are_none(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=expected):
        read_instances(tmp_path / "a.json")
    with pytest.raises(InputError, match="does not exist"):
        read_instances(tmp_path / "none.json")


def test_the_report_is_json(tmp_path: Path) -> None:
    report = run_smoke_test(write_archive(tmp_path), ["a"])
    content = json.loads(json.dumps(report.as_json()))
    assert set(content) == {
        "mar_path", "model_name", "image", "ok", "size_bytes", "sha256", "started_at", "seconds",
        "ready_seconds", "checks", "phases", "load", "findings", "log_problems", "sizing", "versions",
        "predictions",
    }  # fmt: skip
    assert content["image"] is None
    assert content["checks"][0]["name"] == "archive"
