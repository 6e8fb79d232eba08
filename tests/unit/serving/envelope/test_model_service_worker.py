"""What the worker's logging writes, line by line."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from vertex_torchserve.serving.envelope.model_service_worker import BoundedLines, LineFormatter, OnceASecond


def line(level: int, message: Any, *values: object, **extra: Any) -> str:
    record = logging.makeLogRecord(
        {"name": "my.handler", "levelno": level, "msg": message, "args": values, **extra}
    )
    return LineFormatter().format(record)


@pytest.mark.parametrize(
    "message", ["[PID]123", "[METRICS]PredictionTime.ms:1|#Level:Host", "Torch worker started."]
)
def test_torchserves_protocol_stays_as_it_is(message: str) -> None:
    assert line(logging.INFO, message) == message


def test_a_gauge_that_is_set_after_every_batch_is_told_once_a_second() -> None:
    once = OnceASecond("[METRICS]PredictionTime.")
    began = time.monotonic()
    passed = [once.filter(logging.makeLogRecord({"msg": "[METRICS]PredictionTime.ms:1"})) for _ in range(999)]
    assert passed[0]
    assert sum(passed) <= 1 + (time.monotonic() - began)
    for message in ("[METRICS]Words.Count:3", "as it is", ValueError("an object")):
        assert once.filter(logging.makeLogRecord({"msg": message}))
        assert once.filter(logging.makeLogRecord({"msg": message}))


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (10, "DEBUG"),
        (20, "INFO"),
        (25, "INFO"),
        (30, "WARNING"),
        (40, "ERROR"),
        (50, "CRITICAL"),
        (99, "CRITICAL"),
    ],
)
def test_a_record_keeps_its_level(level: int, severity: str) -> None:
    mark, _, fields = line(level, "%d lines\nof é\u2028", 2).partition(" ")
    assert mark == "vts-log"
    assert fields.isascii()
    assert "\n" not in fields
    assert json.loads(fields) == {
        "severity": severity,
        "logger": "my.handler",
        "message": "2 lines\nof é\u2028",
    }


def test_a_traceback_and_a_request_id_are_in_the_same_line() -> None:
    try:
        raise KeyError("vocabulary")
    except KeyError:
        text = line(logging.ERROR, "failed", exc_info=sys.exc_info(), request_id="6f1d")
    fields = json.loads(text.partition(" ")[2])
    assert fields["request_id"] == "6f1d"
    assert fields["message"].startswith("failed\nTraceback (most recent call last):\n")
    assert fields["message"].endswith("KeyError: 'vocabulary'")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([b"a\nb", b"c\n\n"], b"a\nbc\n\n"),
        ([b"x" * 65_536 + b"\ny\n"], b"x" * 65_536 + b"\ny\n"),
        ([b"x" * 65_537 + b"\ny\n"], b"x" * 65_536 + b" ... (1 more bytes)\ny\n"),
        ([b"x" * 40_000] * 500 + [b"\n", b"y"], b"x" * 65_536 + b" ... (19934464 more bytes)\ny"),
        ([b"\r%3d%%" % done for done in range(100)] * 1000, None),
        (["gr\u00fcn\n".encode()], b"gr\xc3\xbcn\n"),
    ],
    ids=["short", "longest", "too-long", "20-MB", "progress-bar", "utf-8"],
)
def test_a_line_that_is_too_long_is_cut(tmp_path: Path, written: list[bytes], read: bytes | None) -> None:
    with (tmp_path / "out").open("wb") as out:
        lines = BoundedLines(out.fileno())
        assert [lines.write(data) for data in written] == [len(data) for data in written]
    assert (tmp_path / "out").read_bytes() == (b"".join(written) if read is None else read)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\U0001f600"])
def test_a_record_that_is_too_long_keeps_its_beginning_and_its_end(character: str) -> None:
    text = line(logging.ERROR, "begin" + character * 5_000_000 + "end")
    assert len(text) <= 65_536
    message = json.loads(text.partition(" ")[2])["message"]
    assert message.startswith("begin" + character * 3000)
    assert message.endswith(character * 1000 + "end")
    assert " characters left out) ... " in message
