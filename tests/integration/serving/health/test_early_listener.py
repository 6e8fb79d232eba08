"""The port answers from the first moment, and changes hands without losing a connection."""

import contextlib
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.local_server import ServingProcess


@pytest.fixture
def silent_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A package index that takes connections and never answers: requirements that take for ever."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield index


def test_answers_503_while_requirements_install(tmp_path: Path, silent_index: socket.socket) -> None:
    files = {"requirements.txt": "no-such-package==1.0\n"}
    write_archive(tmp_path, files=files, requirementsFile="requirements.txt")
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        silent_index.settimeout(READY_SECONDS)
        pip, _ = silent_index.accept()
        with pip:
            ping = httpx.get(f"{server.base_url}/ping", timeout=ANSWER_SECONDS)
            predict = httpx.post(
                f"{server.base_url}/predictions/model", json={"instances": [1]}, timeout=ANSWER_SECONDS
            )
        assert (ping.status_code, ping.json()["reason"]) == (
            503,
            "the model's requirements are being installed",
        )
        assert (predict.status_code, predict.headers["retry-after"]) == (503, "5")
        server.stop()


def test_no_request_is_refused_when_the_port_changes_hands(tmp_path: Path) -> None:
    write_archive(tmp_path)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        url = httpx.URL(server.base_url)
        wait_until(lambda: _listens(url), READY_SECONDS, "the port is open")
        outcomes: Counter[str] = Counter()
        ready = threading.Event()
        clients = [threading.Thread(target=_ping_on, args=(url, ready, outcomes)) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            server.wait_ready(READY_SECONDS)
        finally:
            ready.set()
            for client in clients:
                client.join()
        # One that arrives in the microseconds between the last accept and the close; never one refused.
        assert outcomes.pop("reset", 0) <= len(clients)
        assert set(outcomes) == {"early", "loading", "ready"}, server.log_tail()


def _listens(url: httpx.URL) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection((url.host, url.port or 0)):
        return True
    return False


def _ping_on(url: httpx.URL, ready: threading.Event, outcomes: Counter[str]) -> None:
    """Ping with a new connection each time until `/ping` is 200, and count who answered."""
    outcome = ""
    while outcome != "ready" or not ready.is_set():
        outcome = _ping(url)
        outcomes[outcome] += 1


def _ping(url: httpx.URL) -> str:
    connection = http.client.HTTPConnection(url.host, url.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/ping")
        response = connection.getresponse()
        said = json.loads(response.read())
    except ConnectionResetError:
        return "reset"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return repr(error)
    finally:
        connection.close()
    if response.status == 200:
        return "ready"
    return "loading" if "workers have loaded" in said["reason"] else "early"
