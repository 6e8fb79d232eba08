"""The process that fetches the archive ends with the one that serves it, however that ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from testbed.deadlines import MOMENT_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.ports import free_ports


@pytest.fixture
def silent_storage() -> Iterator[str]:
    """The address of a service that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def fetching_of(entrypoint: psutil.Process) -> list[psutil.Process]:
    children = entrypoint.children()
    return [child for child in children if "vertex_torchserve.serving.fetching" in child.cmdline()]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=["SIGTERM", "SIGKILL"]
)
def test_it_ends_with_the_entrypoint(silent_storage: str, number: signal.Signals, code: int) -> None:
    http, management, metrics = free_ports(3)
    environment = {
        **os.environ,
        "STORAGE_EMULATOR_HOST": silent_storage,
        "AIP_STORAGE_URI": "gs://bucket/v1",
        "AIP_HTTP_PORT": str(http),
        "VTS_MANAGEMENT_PORT": str(management),
        "VTS_METRICS_PORT": str(metrics),
    }
    command = [sys.executable, "-m", "vertex_torchserve.serving.entrypoint"]
    with subprocess.Popen(command, env=environment) as process:
        entrypoint = psutil.Process(process.pid)
        try:
            wait_until(lambda: bool(fetching_of(entrypoint)), MOMENT_SECONDS, "nothing fetches the archive")
            (fetching,) = fetching_of(entrypoint)
            process.send_signal(number)
            assert process.wait(STOP_SECONDS) == code
        finally:
            process.kill()
    _, alive = psutil.wait_procs([fetching], MOMENT_SECONDS)
    assert alive == []
