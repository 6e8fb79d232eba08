"""SIGTERM: nothing that was accepted is lost, and nothing is left behind."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from drain_trial import run_trial
from jvm_server import LAUNCHER, SLEEPING_HANDLER, JvmServer, fetch, write_archive
from processes import wait_until

JSON = {"Content-Type": "application/json"}
HANGING_HANDLER = """\
import os, pathlib, time


class Handler:
    def initialize(self, context):
        pathlib.Path(os.environ["MARK"]).touch()
        time.sleep(600)

    def handle(self, data, context):
        return data
"""


@pytest.mark.parametrize("seed", range(5))
def test_no_accepted_request_is_lost(work: Path, seed: int) -> None:
    trial = run_trial(work, LAUNCHER, seed)
    assert trial.lost == []
    assert trial.answered > 8  # one of each client and more
    assert trial.exit_code == 143
    assert trial.stop_seconds < 10
    assert trial.orphans == 0


def ask(port: int, request: int, sleep: float) -> tuple[int, str] | None:
    """A prediction on a new connection; None when it is refused."""
    url = f"http://127.0.0.1:{port}/predictions/model"
    body = json.dumps({"id": request, "sleep": sleep}).encode()
    return fetch(url, method="POST", body=body)


def open_connection(port: int) -> http.client.HTTPConnection:
    """A connection that has answered once and stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/ping")
    response = connection.getresponse()
    response.read()
    assert response.status == 200 and not response.will_close
    return connection


def wait_no_longer_listening(server: JvmServer, seconds: float = 5) -> None:
    wait_until(lambda: server.get("/ping") is None, seconds, "the port is closed")


def start(pool: ThreadPoolExecutor, function: Callable[..., object], *arguments: object) -> Future[object]:
    """Run it beside the test, and give it a moment to reach the server."""
    running = threading.Event()

    def run() -> object:
        running.set()
        return function(*arguments)

    future = pool.submit(run)
    assert running.wait(5)
    return future


def test_open_connections_are_answered_while_draining(work: Path) -> None:
    archive = write_archive(work / "store", SLEEPING_HANDLER)
    with JvmServer(work / "run", archive) as server, ThreadPoolExecutor() as pool:
        server.wait_healthy()
        idle, probe, sending = (open_connection(server.http) for _ in range(3))
        half_sent = b'{"id": 8, '
        sending.putrequest("POST", "/predictions/model")
        sending.putheader("Content-Type", "application/json")
        sending.putheader("Content-Length", "22")
        sending.endheaders(half_sent)
        slow = start(pool, ask, server.http, 6, 3.0)
        wait_until(lambda: "predictions" in server.log() or slow.running(), 5, "the slow request is sent")
        time.sleep(0.3)  # until the server has read it
        server.terminate()
        wait_no_longer_listening(server)

        probe.request("GET", "/ping")
        answer = probe.getresponse()
        assert answer.status == 503
        assert json.loads(answer.read()) == {"status": "Unhealthy", "reason": "the server is stopping"}
        assert answer.will_close

        sending.send(b'"sleep": 0} ')
        idle.request("POST", "/predictions/model", b'{"id": 7, "sleep": 0}', JSON)
        for connection, expected in ((sending, b"8"), (idle, b"7")):
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, expected)
            assert answer.will_close
        for connection in (idle, probe, sending):
            connection.close()
        assert slow.result() == (200, "6")
        assert server.process.wait(10) == -15 + 158
