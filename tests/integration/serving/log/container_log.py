"""The entrypoint run as a container runs it: its standard output is no terminal, and is the log."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.ports import free_ports


class Entrypoint(NamedTuple):
    url: str
    metrics_url: str
    log_path: Path
    process: subprocess.Popen[bytes]

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return httpx.get(f"{self.url}/ping", timeout=ANSWER_SECONDS).status_code == 200
        except httpx.TransportError:
            return False

    def wait_ready(self) -> None:
        wait_until(self.is_ready, READY_SECONDS, "/ping is 200")

    def stop(self) -> int:
        """Exit code; stopping twice is fine."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(STOP_SECONDS)

    def log(self) -> list[dict[str, Any]]:
        """Every line; each must be a JSON object."""
        entries = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        assert all(isinstance(entry, dict) for entry in entries)
        return entries


@contextmanager
def entrypoint(store: Path, log_path: Path, **environment: str) -> Iterator[Entrypoint]:
    """Serve the archive in `store` with one worker; ended with the block."""
    http, management, metrics = free_ports(3)
    own = {
        "AIP_STORAGE_URI": str(store),
        "AIP_HTTP_PORT": str(http),
        "VTS_MANAGEMENT_PORT": str(management),
        "VTS_METRICS_PORT": str(metrics),
        "VTS_WORKERS": "1",
        "VTS_EXIT_WITH_STDIN": "1",
    }
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vertex_torchserve.serving.entrypoint"],
            env={**os.environ, **own, **environment},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Entrypoint(f"http://127.0.0.1:{http}", f"http://127.0.0.1:{metrics}/metrics", log_path, process)
    try:
        yield server
    finally:
        server.stop()
