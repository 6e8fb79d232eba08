"""SIGTERM: nothing that was accepted is lost, and nothing is left behind."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.drain_trial import run_trial
from testbed.jvm_server import LAUNCHER, JvmServer, model_config
from testbed.processes import wait_until
from tests.integration.serving.java.marking_handler import MARKING_HANDLER, wait_begun
from vertex_torchserve.serving.torchserve.jvm_command import DRAIN_LIMIT_SECONDS

HANGING_HANDLER = """\
import os, pathlib, time


class Handler:
    def initialize(self, context):
        pathlib.Path(os.environ["MARKS"], "loading").touch()
        time.sleep(600)

    def handle(self, data, context):
        return data
"""
SIGTERM_EXIT_CODE = 143
# Longer than a test waits: a server that waited for it would be seen.
ENDLESS_SECONDS = 600
DELAY_SECONDS = 5
LONGEST_DRAIN = {"vts.drain.limit.seconds": str(ENDLESS_SECONDS)}


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in (2, 3, 4))])
def test_no_accepted_request_is_lost(work: Path, seed: int) -> None:
    trial = run_trial(work, LAUNCHER, seed, grace_seconds=MOMENT_SECONDS)
    assert trial.lost == []
    assert trial.answered > 8  # one of each client and more
    assert trial.exit_code == SIGTERM_EXIT_CODE
    assert trial.stop_seconds < DRAIN_LIMIT_SECONDS
    assert trial.orphans == 0


def test_requests_on_open_connections_are_answered(work: Path) -> None:
    with marking_server(work) as server:
        slow, idle, probe, uploading = (open_connection(server) for _ in range(4))
        post(slow, 6, sleep=3)
        begin_upload(uploading)
        pipelining = pipeline(server, 9, 10)
        wait_begun(work, 6)
        server.terminate()
        wait_refusing(server)

        probe.request("GET", "/ping")
        assert last_answer(probe) == (
            503,
            '{\n  "status": "Unhealthy",\n  "reason": "the server is stopping"\n}\n',
        )
        uploading.send(b'"sleep": 0}')
        post(idle, 7, sleep=0)
        assert last_answer(slow) == (200, "6")
        assert last_answer(uploading) == (200, "8")
        assert last_answer(idle) == (200, "7")
        with pipelining:
            answers = b"".join(iter(lambda: pipelining.recv(65536), b"")).split(b"\r\n\r\n")
        assert [answers[1][:1], answers[2]] == [b"9", b"10"]
        assert [b"connection: close" in head.lower() for head in answers[:2]] == [False, True]
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE
        assert "Model model unregistered." in server.log()
        assert "Exception" not in server.log()


def test_torchserve_s_own_jar_loses_none_of_them(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its netty is of 2020: what only a newer one has must not end the drain."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with marking_server(work) as server:
        assert "model-server.jar" in " ".join(psutil.Process(server.process.pid).cmdline())
        slow = open_connection(server)
        post(slow, 6, sleep=3)
        wait_begun(work, 6)
        server.terminate()
        wait_refusing(server)
        assert last_answer(slow) == (200, "6")
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE
        assert "Exception" not in server.log()


def test_a_client_that_went_away_is_not_waited_for(work: Path) -> None:
    with marking_server(work) as server:
        connection = open_connection(server)
        post(connection, 6, sleep=ENDLESS_SECONDS)
        wait_begun(work, 6)
        connection.close()
        server.terminate()
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE


def test_requests_that_take_longer_than_the_limit_are_given_up(work: Path) -> None:
    with marking_server(work, {"vts.drain.limit.seconds": "1"}) as server:
        (worker,) = server.workers()
        connection = open_connection(server)
        post(connection, 6, sleep=ENDLESS_SECONDS)
        wait_begun(work, 6)
        server.terminate()
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE
        connection.close()
        assert "Stopping with 1 requests unanswered after 1 s" in server.log()
        assert psutil.wait_procs([worker], timeout=MOMENT_SECONDS)[1] == []


def test_connections_are_taken_during_the_delay(work: Path) -> None:
    with marking_server(work, {"vts.drain.delay.seconds": str(DELAY_SECONDS)}) as server:
        server.terminate()
        wait_until(
            lambda: (server.get("/ping") or (0, ""))[0] == 503, DELAY_SECONDS, "/ping is 503 during the delay"
        )
        connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=ANSWER_SECONDS)
        post(connection, 6, sleep=0)
        assert last_answer(connection) == (200, "6")
        wait_refusing(server)
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE


def test_stops_while_the_model_is_still_loading(work: Path) -> None:
    archive = write_archive(work / "store", HANGING_HANDLER, config=model_config())
    with JvmServer(
        work / "run", archive, properties=LONGEST_DRAIN, environment={"MARKS": str(work)}
    ) as server:
        wait_until((work / "loading").exists, READY_SECONDS, "the worker loads the model")
        workers = server.workers()
        assert len(workers) == 1
        server.terminate()
        assert server.process.wait(STOP_SECONDS) == SIGTERM_EXIT_CODE
        assert psutil.wait_procs(workers, timeout=MOMENT_SECONDS)[1] == []


@contextlib.contextmanager
def marking_server(work: Path, properties: dict[str, str] | None = None) -> Iterator[JvmServer]:
    """Ready, with one worker, which takes one request at a time."""
    archive = write_archive(work / "store", MARKING_HANDLER, config=model_config())
    with JvmServer(
        work / "run",
        archive,
        properties={**LONGEST_DRAIN, **(properties or {})},
        environment={"MARKS": str(work)},
    ) as server:
        server.wait_healthy()
        yield server


def wait_refusing(server: JvmServer) -> None:
    wait_until(lambda: server.get("/ping") is None, MOMENT_SECONDS, "the port is closed")


def open_connection(server: JvmServer) -> http.client.HTTPConnection:
    """A connection that has answered once and stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=ANSWER_SECONDS)
    connection.request("GET", "/ping")
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    assert not response.will_close
    return connection


def post(connection: http.client.HTTPConnection, request: int, sleep: float) -> None:
    """Send a prediction request, and don't wait for its answer."""
    body = json.dumps({"id": request, "sleep": sleep})
    connection.request("POST", "/predictions/model", body, {"Content-Type": "application/json"})


def pipeline(server: JvmServer, *requests: int) -> socket.socket:
    """A connection on which all of these were sent, and no answer was waited for."""
    connection = socket.create_connection(("127.0.0.1", server.http), timeout=ANSWER_SECONDS)
    for request in requests:
        body = json.dumps({"id": request, "sleep": 0})
        headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"POST /predictions/model HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}".encode())
    return connection


def begin_upload(connection: http.client.HTTPConnection) -> None:
    """Send the head of request 8 and the first half of its body; `"sleep": 0}` is missing."""
    connection.putrequest("POST", "/predictions/model")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len('{"id": 8, "sleep": 0}')))
    connection.endheaders(b'{"id": 8, ')


def last_answer(connection: http.client.HTTPConnection) -> tuple[int, str]:
    """Status and body of an answer that ends its connection."""
    response = connection.getresponse()
    assert response.getheader("connection") == "close"
    answer = response.status, response.read().decode()
    connection.close()
    return answer
