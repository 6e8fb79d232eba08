"""`/ping` is 200 exactly while a request would be answered."""

import json
import signal
import time
from pathlib import Path

import pytest

from testbed.archives import write_archive
from testbed.deadlines import MOMENT_SECONDS, READY_SECONDS
from testbed.jvm_server import SLEEPING_HANDLER, JvmServer, model_config
from testbed.processes import wait_until

# Two workers load one after the other, each once /ping has said how many have; each says when it is done.
UNEVEN_HANDLER = """\
import os, pathlib, time


class Handler:
    def initialize(self, context):
        marks = pathlib.Path(os.environ["MARKS"])
        try:
            (marks / "claimed").touch(exist_ok=False)
            mark, awaited = "first", "seen 0"
        except FileExistsError:
            mark, awaited = "second", "seen 1"
        while not (marks / awaited).exists():
            time.sleep(0.01)
        (marks / mark).touch()

    def handle(self, data, context):
        return ["ok"] * len(data)
"""
RAISING_HANDLER = """\
import os, pathlib


class Handler:
    def initialize(self, context):
        with (pathlib.Path(os.environ["MARKS"]) / "attempts").open("a") as attempts:
            attempts.write("x")
        raise ValueError("the weights are of another model")

    def handle(self, data, context):
        return data
"""
HEALTHY = {"status": "Healthy"}


def obstacle(server: JvmServer) -> str | None:
    """Why `/ping` is 503; None when nobody listens yet."""
    answer = server.get("/ping")
    if answer is None:
        return None
    status, body = answer
    assert status == 503, body
    said = json.loads(body)
    assert said["status"] == "Unhealthy"
    reason: str = said["reason"]
    return reason


def test_503_until_every_worker_has_loaded(work: Path) -> None:
    marks = work / "marks"
    marks.mkdir()
    archive = write_archive(work / "store", UNEVEN_HANDLER, config=model_config(workers=2))
    reasons: list[str] = []
    with JvmServer(work / "run", archive, environment={"MARKS": str(marks)}) as server:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            assert time.monotonic() < deadline, server.log()
            answer = server.get("/ping")
            if answer is None:
                continue
            status, body = answer
            if status == 200:
                break
            assert status == 503
            reasons.append(json.loads(body)["reason"])
            (marks / f"seen {reasons[-1][0]}").touch()
        # It was already true when the answer came.
        assert {mark.name for mark in marks.iterdir()} == {"claimed", "seen 0", "first", "seen 1", "second"}
        assert json.loads(body) == HEALTHY
    assert list(dict.fromkeys(reasons)) == [
        "0 of 2 workers have loaded model model version 1.0",
        "1 of 2 workers have loaded model model version 1.0",
    ]


def test_never_200_when_the_handler_raises_at_load(work: Path) -> None:
    attempts = work / "attempts"
    attempts.touch()
    archive = write_archive(work / "store", RAISING_HANDLER, config=model_config())
    with JvmServer(work / "run", archive, environment={"MARKS": str(work)}) as server:
        reasons = set()

        def tried_three_times() -> bool:
            reasons.add(obstacle(server))
            return len(attempts.read_text()) >= 3

        wait_until(tried_three_times, READY_SECONDS, "TorchServe tries to load the model again")
        assert reasons - {None} == {"0 of 1 workers have loaded model model version 1.0"}


def test_503_when_no_model_is_registered(work: Path) -> None:
    (work / "store").mkdir()
    with JvmServer(work / "run", work / "store" / "absent.mar") as server:
        wait_until(lambda: obstacle(server) is not None, READY_SECONDS, "the port is open")
        assert obstacle(server) == "no model is registered"


def test_503_until_the_ready_file_exists_and_while_a_worker_is_gone(work: Path) -> None:
    ready = work / "ready"
    archive = write_archive(work / "store", SLEEPING_HANDLER, config=model_config())
    with JvmServer(work / "run", archive, properties={"vts.ready.file": str(ready)}) as server:
        server.wait_loaded(1)
        assert obstacle(server) == "the model is loaded but has not passed its check yet"
        kserve = server.get("/v1/models/model")
        assert kserve is not None
        assert (kserve[0], json.loads(kserve[1])) == (
            503,
            {
                "name": "model",
                "ready": False,
                "reason": "the model is loaded but has not passed its check yet",
            },
        )
        ready.touch()
        server.wait_healthy(0)

        (worker,) = server.workers()
        worker.send_signal(signal.SIGKILL)
        wait_until(
            lambda: (server.get("/ping") or (0, ""))[0] == 503, MOMENT_SECONDS, "the dead worker is noticed"
        )
        assert obstacle(server) == "0 of 1 workers have loaded model model version 1.0"
        server.wait_healthy()
        assert [again.pid for again in server.workers()] != [worker.pid]


@pytest.mark.parametrize("value", ["soon", "-1", "2.5", ""])
def test_a_malformed_number_of_seconds_is_refused(work: Path, value: str) -> None:
    archive = write_archive(work / "store", SLEEPING_HANDLER, config=model_config())
    with JvmServer(work / "run", archive, properties={"vts.drain.limit.seconds": value}) as server:
        assert server.process.wait(READY_SECONDS) == 1
        assert server.log() == (
            f"Invalid configuration: vts.drain.limit.seconds={value}; "
            "a whole number from 0 to 999999 is accepted\n"
        )
