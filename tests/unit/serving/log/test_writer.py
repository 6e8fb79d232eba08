"""The log as it is written: JSON for Cloud Logging, text for people."""

import io
import json
import os
import pty
import subprocess
import sys

import pytest

from vertex_torchserve.serving.log.entry import LogEntry, entries_of_text
from vertex_torchserve.serving.log.writer import LogWriter

TIME = "2026-11-22T14:40:47.979Z"
ERROR = LogEntry("ERROR", TIME, "root", "main", 'Traceback\n  File "h.py"\nKeyError: \u2028é', "6f1d")
INFO = LogEntry("INFO", TIME, "a.B", "pool 2", "all well")
PROGRAM = """\
import logging, os, warnings
from vertex_torchserve.serving.log.writer import LogWriter, log_to
log_to(LogWriter(os.environ.get("FORMAT", "")))
logging.getLogger("vertex_torchserve.serving").info("fetched %d bytes", 5)
logging.getLogger("urllib3").info("not ours")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("vertex_torchserve").exception("failed")
warnings.warn("careful")
"""


def written(log_format: str, *entries: LogEntry) -> str:
    stream = io.StringIO()
    LogWriter(log_format, stream).write(*entries)
    return stream.getvalue()


def test_json_is_one_line_an_entry_with_cloud_loggings_fields() -> None:
    first, second = written("json", ERROR, INFO).splitlines()
    assert json.loads(first) == {
        "severity": "ERROR",
        "time": "2026-11-22T14:40:47.979Z",
        "logger": "root",
        "thread": "main",
        "message": 'Traceback\n  File "h.py"\nKeyError: \u2028é',
        "request_id": "6f1d",
    }
    assert json.loads(second) == {
        "severity": "INFO",
        "time": "2026-11-22T14:40:47.979Z",
        "logger": "a.B",
        "thread": "pool 2",
        "message": "all well",
    }


def test_text_is_for_people_and_can_be_read_again() -> None:
    plain = ERROR._replace(message="Traceback\n  ...\nKeyError: 1", request_id="")
    text = written("text", plain, INFO)
    assert text == (
        "2026-11-22T14:40:47.979Z [ERROR   ] main root - Traceback\n"
        "  ...\n"
        "KeyError: 1\n"
        "2026-11-22T14:40:47.979Z [INFO    ] pool 2 a.B - all well\n"
    )
    assert list(entries_of_text("no entry\n" + text)) == [plain, INFO]


def test_a_message_is_cut_in_its_middle() -> None:
    message = json.loads(written("json", INFO._replace(message="a" * 16_000 + "b" * 500 + "c" * 16_000)))[
        "message"
    ]
    assert message == "a" * 16_000 + "\n... 500 characters left out ...\n" + "c" * 16_000


@pytest.mark.parametrize("environment", [{}, {"FORMAT": "json"}, {"FORMAT": "xml"}])
def test_what_python_logs_is_written_as_json_into_a_pipe(environment: dict[str, str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    fetched, failed, careful = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (fetched["severity"], fetched["logger"], fetched["message"]) == (
        "INFO",
        "vertex_torchserve.serving",
        "fetched 5 bytes",
    )
    assert (failed["severity"], failed["thread"]) == ("ERROR", "MainThread")
    assert failed["message"].startswith("failed\nTraceback (most recent call last):\n")
    assert failed["message"].endswith("\nZeroDivisionError: division by zero")
    assert (careful["severity"], careful["logger"]) == ("WARNING", "py.warnings")
    assert answer.stderr == ""


@pytest.mark.parametrize(("log_format", "begins"), [("", "20"), ("json", "{")])
def test_a_terminal_gets_text_unless_told_otherwise(log_format: str, begins: str) -> None:
    terminal, program_side = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as file:
        try:
            environment = {**os.environ, "FORMAT": log_format}
            subprocess.run([sys.executable, "-c", PROGRAM], env=environment, stdout=program_side, check=True)
            assert file.read(2).decode().startswith(begins)
        finally:
            os.close(program_side)
