"""What the environment says about limits is what the server does, started the way the images start it."""

import socket
from pathlib import Path
from typing import Any

import httpx
import psutil

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

SLEEPING_HANDLER = """\
import time


def handle(data, context):
    if data is not None:
        time.sleep(data[0])
        return data
"""


def test_time_out_queue_and_body(tmp_path: Path) -> None:
    write_archive(tmp_path, SLEEPING_HANDLER)
    environment = {
        "AIP_STORAGE_URI": str(tmp_path),
        "VTS_WORKERS": "1",
        "VTS_REQUEST_TIMEOUT_SECONDS": "3",
        "VTS_READ_TIMEOUT_SECONDS": "2",
        "VTS_QUEUE_SIZE": "17",
    }
    with ServingProcess(environment) as server:
        server.wait_ready(READY_SECONDS)
        url = f"{server.base_url}/predictions/model"
        late = httpx.post(url, json={"instances": [4]}, timeout=ANSWER_SECONDS)
        assert late.status_code == 504
        assert late.json()["error"].startswith("no answer within 3 s, ")
        assert httpx.post(url, json={"instances": [0]}, timeout=ANSWER_SECONDS).json() == {"predictions": [0]}
        wrong = httpx.post(url, json=[0], timeout=ANSWER_SECONDS)
        assert (wrong.status_code, list(wrong.json())) == (400, ["error"])
        large = httpx.post(url, content=b"x" * (10_551_296 + 1), timeout=ANSWER_SECONDS)
        assert large.status_code == 413
        assert large.json() == {
            "error": "the request body is larger than 10551296 bytes, the most that is accepted; "
            "send fewer or smaller instances at a time"
        }
        with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), ANSWER_SECONDS) as half:
            half.sendall(b"POST /predictions/model HTTP/1.1\r\n")
            assert half.recv(65536).startswith(b"HTTP/1.1 408 ")
        # The management port is known to the server alone; it listens where its configuration says.
        listening = {
            connection.laddr.port
            for process in psutil.Process(server.pid).children()
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        (model,) = described(listening)
    assert model["responseTimeout"] == 66  # twice the time-out and a minute
    assert model["jobQueueStatus"] == {"remainingCapacity": 17, "pendingRequests": 0}


def described(ports: set[int]) -> list[dict[str, Any]]:
    """The model, by the one of these ports that is the management API's."""
    answers = [httpx.get(f"http://127.0.0.1:{port}/models/model", timeout=ANSWER_SECONDS) for port in ports]
    (description,) = [answer.json() for answer in answers if answer.status_code == 200]
    return list(description)
