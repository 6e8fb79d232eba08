"""Too large, too many, too slow: what the client is told, and that the worker goes on."""

import contextlib
import http.client
import json
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS, STOP_SECONDS
from testbed.jvm_server import JvmServer, model_config
from testbed.processes import wait_until
from tests.integration.serving.java.http_client import Client
from tests.integration.serving.java.marking_handler import MARKING_HANDLER, wait_begun

MOST_BYTES = 100_000
QUEUE_SIZE = 3
TIMEOUT_SECONDS = 15
TOO_LARGE = {
    "error": "the request body is larger than 100000 bytes, the most that is accepted; "
    "send fewer or smaller instances at a time"
}
# More than any socket buffer takes: written whole only if the server goes on reading.
LARGE = b"x" * 20_000_000


@pytest.fixture(scope="module")
def marks() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jvm-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def shared_server(marks: Path) -> Iterator[JvmServer]:
    """One worker that takes one request at a time."""
    archive = write_archive(marks / "store", MARKING_HANDLER, config=model_config())
    with JvmServer(
        marks / "run",
        archive,
        properties={"vts.request.timeout.seconds": str(TIMEOUT_SECONDS)},
        configuration={"max_request_size": str(MOST_BYTES), "job_queue_size": str(QUEUE_SIZE)},
        environment={"MARKS": str(marks)},
    ) as running:
        running.wait_healthy()
        yield running


@pytest.fixture
def server(shared_server: JvmServer) -> JvmServer:
    shared_server.wait_healthy()
    return shared_server


@pytest.fixture
def clients(server: JvmServer) -> Iterator[list[Client]]:
    many = [Client(server) for _ in range(5)]
    yield many
    for one in many:
        one.connection.close()


def pending(server: JvmServer) -> int:
    """How many requests wait for the worker, by the management API."""
    connection = http.client.HTTPConnection("127.0.0.1", server.management, timeout=ANSWER_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/models/model")
        (model,) = json.loads(connection.getresponse().read())
    waiting: int = model["jobQueueStatus"]["pendingRequests"]
    return waiting


def assert_serves(server: JvmServer, worker: int) -> None:
    """The same worker still answers."""
    last = Client(server).post(1)
    with contextlib.closing(last.connection):
        assert last.answer()[:2] == (200, 1)
    assert [process.pid for process in server.workers()] == [worker]


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}, {"Transfer-Encoding": "chunked"}])
def test_a_body_that_is_too_large_gets_413_with_the_limit(client: Client, headers: dict[str, str]) -> None:
    body = iter([LARGE[:70_000], LARGE]) if "Transfer-Encoding" in headers else LARGE
    client.connection.request("POST", "/predictions/model", body, headers, encode_chunked=True)
    status, said, answered = client.answer()
    assert (status, said) == (413, TOO_LARGE)
    assert answered["content-type"] == "application/json"
    assert answered["connection"] == "close"
    assert len(answered["x-request-id"]) == 36


def test_a_client_that_asks_first_is_told_413_before_it_sends(client: Client) -> None:
    client.connection.putrequest("POST", "/predictions/model")
    client.connection.putheader("Content-Length", str(MOST_BYTES + 1))
    client.connection.putheader("Expect", "100-continue")
    client.connection.endheaders()
    assert client.answer()[:2] == (413, TOO_LARGE)


def test_a_body_at_the_limit_is_taken(client: Client) -> None:
    body = json.dumps({"id": 2}).ljust(MOST_BYTES)
    headers = {"Content-Type": "application/json", "Expect": "100-continue"}
    client.connection.request("POST", "/predictions/model", body, headers)
    assert client.answer()[:2] == (200, 2)


def test_a_full_queue_is_503_and_loses_nobody(
    server: JvmServer, clients: list[Client], client: Client, marks: Path
) -> None:
    (worker,) = server.workers()
    clients[0].post(10, until="refused")
    wait_begun(marks, 10)
    for number in (11, 12, 13):
        clients[number - 10].post(number)
    wait_until(lambda: pending(server) == QUEUE_SIZE, MOMENT_SECONDS, "three wait")
    status, said, headers = client.post(14).answer()
    assert status == 503
    assert said == {"error": "3 requests are waiting, the most that may; send this one again later"}
    assert headers["retry-after"] == "1"
    (marks / "refused").touch()
    assert [clients[number - 10].answer()[:2] for number in (10, 11, 12, 13)] == [
        (200, 10),
        (200, 11),
        (200, 12),
        (200, 13),
    ]
    assert_serves(server, worker.pid)


def test_504_when_there_is_no_answer_in_time(
    server: JvmServer, clients: list[Client], client: Client, marks: Path
) -> None:
    (worker,) = server.workers()
    clients[0].post(20, until="expired")
    wait_begun(marks, 20)
    clients[1].post(21)
    for late in clients[:2]:
        status, said, headers = late.answer()
        assert status == 504
        assert said == {
            "error": "no answer within 15 s, the longest a request may take; send fewer instances at a time, "
            "or raise VTS_REQUEST_TIMEOUT_SECONDS"
        }
        assert headers["connection"] == "close"
        assert len(headers["x-request-id"]) == 36
    # The worker is still at it, and what comes now waits for it.
    wait_until(
        lambda: pending(server) == 0, MOMENT_SECONDS, "request 21 leaves the queue with its connection"
    )
    client.post(22)
    (marks / "expired").touch()
    assert client.answer()[:2] == (200, 22)
    assert not (marks / "begun-21").exists()
    assert_serves(server, worker.pid)


def test_a_request_whose_client_went_away_leaves_the_queue(
    server: JvmServer, clients: list[Client], marks: Path
) -> None:
    (worker,) = server.workers()
    clients[0].post(30, until="gone")
    wait_begun(marks, 30)
    clients[1].post(31)
    clients[2].post(32)
    clients[3].post(33)
    wait_until(lambda: pending(server) == 3, MOMENT_SECONDS, "three wait")
    clients[2].connection.close()
    wait_until(lambda: pending(server) == 2, MOMENT_SECONDS, "it leaves the queue, from the middle of it")
    (marks / "gone").touch()
    assert [clients[number].answer()[:2] for number in (0, 1, 3)] == [(200, 30), (200, 31), (200, 33)]
    assert not (marks / "begun-32").exists()
    assert_serves(server, worker.pid)


def test_a_worker_that_dies_is_500_and_until_another_has_loaded_503(
    server: JvmServer, clients: list[Client]
) -> None:
    status, said, headers = clients[0].post(40, exit=True).answer()
    assert (status, said) == (500, {"error": "Worker died."})
    assert len(headers["x-request-id"]) == 36
    status, said, headers = clients[1].post(41).answer()
    assert status == 503
    assert said == {"error": "not ready: 0 of 1 workers have loaded model model version 1.0"}
    assert headers["retry-after"] == "5"
    server.wait_healthy()
    assert clients[2].post(42).answer()[:2] == (200, 42)


def test_a_worker_that_hangs_for_ever_is_replaced(work: Path) -> None:
    archive = write_archive(work / "store", MARKING_HANDLER, config=model_config(response_timeout=10))
    properties = {"vts.request.timeout.seconds": "1"}
    environment = {"MARKS": str(work)}
    with JvmServer(work / "run", archive, properties=properties, environment=environment) as server:
        server.wait_healthy()
        (worker,) = server.workers()
        client = Client(server)
        with contextlib.closing(client.connection):
            assert client.post(70, until="the end").answer()[0] == 504
        assert worker.is_running()
        wait_until(lambda: not worker.is_running(), STOP_SECONDS, "TorchServe ends it")
        server.wait_healthy()
        again = Client(server)
        with contextlib.closing(again.connection):
            assert again.post(71).answer()[:2] == (200, 71)


def test_large_requests_that_do_not_fit_in_memory_are_503(work: Path) -> None:
    """Thirty of 6 MB and a heap of 64 MiB, at whose end the JVM ends, as in the images."""
    archive = write_archive(work / "store", MARKING_HANDLER, config=model_config())
    options = "-Xmx64m -XX:MaxDirectMemorySize=64m -XX:+ExitOnOutOfMemoryError"
    environment = {"MARKS": str(work), "JAVA_TOOL_OPTIONS": options}
    with JvmServer(work / "run", archive, environment=environment) as server:
        server.wait_healthy()
        body = json.dumps({"id": 80}).ljust(6_000_000)

        def ask(_: int) -> tuple[int, Any]:
            one = Client(server)
            with contextlib.closing(one.connection):
                headers = {"Content-Type": "application/json"}
                one.connection.request("POST", "/predictions/model", body, headers)
                status, said, answered = one.answer()
                assert answered.get("retry-after") == ("1" if status == 503 else None)
                return status, said

        with ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(ask, range(30)))
        assert (200, 80) in answers
        refusals = [said["error"] for status, said in answers if status != 200]
        refusal = re.compile(
            "1[5-9] MiB of requests are waiting, the most that may; send this one again later"
        )
        assert refusals
        assert [error for error in refusals if not refusal.fullmatch(error)] == []
        assert server.get("/ping") == (200, '{\n  "status": "Healthy"\n}\n')
