"""What the worker's logging writes, line by line."""

import json
import logging
import sys
from typing import Any

import pytest

from vertex_torchserve.serving.envelope.model_service_worker import LineFormatter


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
