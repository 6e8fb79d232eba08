"""What a container says: JSON lines, whole tracebacks, the request's id and nothing of what was sent."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from testbed.archives import BROKEN_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS, STOP_SECONDS
from tests.integration.serving.log.container_log import entrypoint

TALKING_HANDLER = """\
import logging
import sys
import time
import traceback
import warnings

logger = logging.getLogger("my.handler")


def handle(data, context):
    if data is None:
        print("printed")
        print("on standard error", file=sys.stderr)
        warnings.warn("careful")
        logger.debug("too much")
        logger.error("two\\nlines")
        try:
            {}["key"]
        except KeyError:
            logger.exception("logged")
            traceback.print_exc()
        return None
    context.metrics.add_counter("Words", len(data))
    if "slow" in data:
        time.sleep(2)
    if "secret poison" in data:
        raise ValueError("no " + data[0])
    return data
"""
EXITING_HANDLER = """\
import sys


class Handler:
    def initialize(self, context):
        sys.exit(3)

    def handle(self, data, context):
        return data
"""


class Conversation(NamedTuple):
    log: list[dict[str, Any]]
    text: str
    right_id: str
    failed_id: str
    malformed_id: str
    metrics: str

    def said(self, message: str) -> list[tuple[str, str]]:
        """Severity and logger of the entries with this message."""
        return [
            (entry["severity"], entry["logger"])
            for entry in self.log
            if re.fullmatch(message, entry["message"], re.S)
        ]


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    folder = tmp_path_factory.mktemp("talking")
    write_archive(folder / "store", TALKING_HANDLER)
    with entrypoint(folder / "store", folder / "log") as server:
        server.wait_ready()
        url = f"{server.url}/predictions/model"
        right = httpx.post(f"{url}?key=secret", json={"instances": ["secret"]}, timeout=ANSWER_SECONDS)
        failed = httpx.post(url, json={"instances": ["secret poison"]}, timeout=ANSWER_SECONDS)
        malformed = httpx.post(url, json={"instances": "secret"}, timeout=ANSWER_SECONDS)
        answers = (right, failed, malformed)
        assert [answer.status_code for answer in answers] == [200, 500, 400]
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json={"instances": ["slow"]}, timeout=1.0)
        metrics = httpx.get(server.metrics_url, timeout=ANSWER_SECONDS).text
        assert server.stop() == 143
        right_id, failed_id, malformed_id = (answer.headers["x-request-id"] for answer in answers)
        text = server.log_path.read_text()
        yield Conversation(server.log(), text, right_id, failed_id, malformed_id, metrics)


def test_every_line_has_cloud_loggings_fields(conversation: Conversation) -> None:
    for entry in conversation.log:
        assert entry["severity"] in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
        assert datetime.fromisoformat(entry["time"]).tzinfo is not None
        assert {"logger", "thread", "message"} <= entry.keys()


def test_severities_are_the_handlers_own(conversation: Conversation) -> None:
    assert conversation.said("printed") == [("INFO", "MODEL_LOG")]
    assert conversation.said("on standard error") == [("WARNING", "MODEL_LOG")]
    assert conversation.said(".*UserWarning: careful.*") == [("WARNING", "py.warnings")]
    assert conversation.said("two\nlines") == [("ERROR", "my.handler")]
    assert conversation.said("too much") == []


def test_a_traceback_is_one_error(conversation: Conversation) -> None:
    frames = r"Traceback \(most recent call last\):\n  File .*, in handle\n.*\nKeyError: 'key'"
    assert conversation.said(f"logged\n{frames}") == [("ERROR", "my.handler")]
    assert conversation.said(frames) == [("ERROR", "MODEL_LOG")]
    assert len(conversation.said(".*KeyError: 'key'.*")) == 2


def test_what_failed_is_found_by_its_request_id(conversation: Conversation) -> None:
    by_id = {
        entry["request_id"]: entry
        for entry in conversation.log
        if "request_id" in entry and entry["logger"] != "ACCESS_LOG"
    }
    assert set(by_id) == {conversation.failed_id, conversation.malformed_id}
    failed, malformed = by_id[conversation.failed_id], by_id[conversation.malformed_id]
    assert failed["severity"] == "ERROR"
    assert failed["message"].startswith(f"request {conversation.failed_id} answered 500: ValueError at ")
    assert (malformed["severity"], malformed["message"]) == (
        "WARNING",
        f"request {conversation.malformed_id} answered 400: it is malformed",
    )


def test_a_request_is_one_line_of_the_access_log_and_nothing_sent_is_in_any(
    conversation: Conversation,
) -> None:
    access = [entry for entry in conversation.log if entry["logger"] == "ACCESS_LOG"]
    line = re.compile(r'/127\.0\.0\.1:\d+ "POST /predictions/model HTTP/1\.1" (\d+|-) (\d+) (\S+)')
    lines = [line.fullmatch(entry["message"]) for entry in access]
    assert [found and found[1] for found in lines] == ["200", "500", "400", "-"]
    ids = [entry["request_id"] for entry in access]
    assert ids[:3] == [conversation.right_id, conversation.failed_id, conversation.malformed_id]
    assert [found and found[3] for found in lines] == ids
    gone = lines[-1]
    assert gone and 900 <= int(gone[2]) < 2000, "it ends when its client goes, not when the worker is done"
    assert "secret" not in conversation.text


def test_it_says_what_it_does(conversation: Conversation) -> None:
    assert len(conversation.said(r"serving with 1 workers of \d+ threads, batches of 16")) == 1
    assert len(conversation.said(r"ready after \d+\.\d s")) == 1


def test_metrics_count_the_requests(conversation: Conversation) -> None:
    requests = re.search(r"^ts_inference_requests_total\{.*\} (\S+)$", conversation.metrics, re.M)
    latency = re.search(r"^ts_inference_latency_microseconds\{.*\} (\S+)$", conversation.metrics, re.M)
    assert requests and float(requests[1]) == 4.0
    assert latency and float(latency[1]) > 0
    assert "CPUUtilization{" not in conversation.metrics


def test_what_a_handler_counts_is_among_the_metrics(conversation: Conversation) -> None:
    words = re.search(r"^Words\{.*\} (\S+)$", conversation.metrics, re.M)
    assert words
    assert float(words[1]) >= 2  # one for each time that the handler ran


@pytest.mark.parametrize(
    ("handler", "raised"),
    [(BROKEN_HANDLER, "ValueError: the weights are of another model"), (EXITING_HANDLER, "SystemExit: 3")],
    ids=["raises", "exits"],
)
def test_the_last_line_of_a_failed_container_is_the_whole_cause(
    tmp_path: Path, handler: str, raised: str
) -> None:
    write_archive(tmp_path / "store", handler)
    with entrypoint(tmp_path / "store", tmp_path / "log") as server:
        assert server.process.wait(READY_SECONDS + STOP_SECONDS) == 1
    *before, last = server.log()
    assert last["severity"] == "ERROR"
    assert last["message"].startswith("the model could not be loaded\nTraceback (most recent call last):\n")
    assert last["message"].endswith(raised)
    assert "in initialize\n" in last["message"]
    # Whole in one entry of each worker that got so far before the first one's end was noticed.
    told = [entry["severity"] for entry in before if "Traceback" in entry["message"]]
    assert told in (["ERROR"], ["ERROR", "ERROR"])
