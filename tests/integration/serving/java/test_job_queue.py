"""Which worker gets a request, and how many requests become a batch."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.deadlines import MOMENT_SECONDS, STOP_SECONDS
from testbed.jvm_server import JvmServer, fetch, model_config
from testbed.processes import wait_until

# Answers with the worker's process, the size of the batch and when it began; "sleep" seconds later.
TELLING_HANDLER = """\
import json
import os
import time


def handle(data, context):
    if data is None:
        return None
    began = time.monotonic()
    requests = [row["body"] for row in data]
    time.sleep(max(request["sleep"] for request in requests))
    return [
        json.dumps({"id": request["id"], "worker": os.getpid(), "batch": len(data), "began": began})
        for request in requests
    ]
"""
WORKERS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[JvmServer]:
    with tempfile.TemporaryDirectory(prefix="jvm-") as work:  # short: a worker's socket lies in it
        config = model_config(workers=WORKERS, batch_size=4)
        archive = write_archive(Path(work) / "store", TELLING_HANDLER, config=config)
        with JvmServer(Path(work) / "work", archive) as server:
            server.wait_healthy()
            yield server


def post(server: JvmServer, number: int, sleep: float = 0.0) -> tuple[int, str]:
    body = json.dumps({"id": number, "sleep": sleep}).encode()
    answer = fetch(f"http://127.0.0.1:{server.http}/predictions/model", method="POST", body=body)
    assert answer is not None, server.log()[-3000:]
    return answer


def ask(server: JvmServer, number: int, sleep: float = 0.0) -> dict[str, float]:
    status, body = post(server, number, sleep)
    assert status == 200, server.log()[-3000:]
    found: dict[str, float] = json.loads(body)
    assert found["id"] == number
    return found


def test_one_client_is_answered_by_one_worker(server: JvmServer) -> None:
    """TorchServe's own queue gives each of three workers a third."""
    workers: Counter[float] = Counter()
    for number in range(30):
        workers[ask(server, number)["worker"]] += 1
        time.sleep(0.02)  # who has answered may take a moment until it asks for more
    assert workers.most_common(1)[0][1] >= 20, workers


def test_no_request_waits_while_a_worker_is_idle(server: JvmServer) -> None:
    with ThreadPoolExecutor(WORKERS) as clients:
        answers = list(clients.map(lambda number: ask(server, number, 5.0), range(WORKERS)))
    began = [answer["began"] for answer in answers]
    assert max(began) - min(began) < 4.5, answers


def test_what_waits_for_busy_workers_becomes_batches(server: JvmServer) -> None:
    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(lambda number: ask(server, number, 0.3), range(40)))
    sizes = Counter(answer["batch"] for answer in answers)
    assert set(sizes) <= {1, 2, 3, 4}
    assert sizes[4] >= 20
    assert len({answer["worker"] for answer in answers}) == WORKERS


def test_a_storm_is_answered_whole(server: JvmServer) -> None:
    def client(first: int) -> list[float]:
        return [ask(server, number)["id"] for number in range(first, first + 50)]

    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(client, range(0, 800, 50)))
    assert sorted(number for several in answers for number in several) == list(range(800))


def test_each_worker_has_a_connection_of_our_own_beside_torchserves(server: JvmServer) -> None:
    ask(server, 0)
    for worker in server.workers():
        ends = sorted(Path(str(found.laddr)).name for found in worker.net_connections("unix") if found.laddr)
        number = ends[-1].rpartition(".")[2]
        assert ends == [f".direct.{number}", f".ts.sock.{number}", f".ts.sock.{number}"]


def test_a_worker_that_died_leaves_the_line(server: JvmServer) -> None:
    busy_last = ask(server, 0)["worker"]
    (victim,) = [worker for worker in server.workers() if worker.pid == busy_last]
    victim.kill()
    victim.wait(STOP_SECONDS)
    wait_until(lambda: post(server, 1)[0] == 200, MOMENT_SECONDS, "another worker answers")
    assert busy_last not in {ask(server, number)["worker"] for number in range(10)}
