"""The worker's process, without a JVM."""

import importlib.util
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.deadlines import READY_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.envelope import home


@pytest.fixture
def worker() -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """A worker that has accepted a connection, as the JVM makes it."""
    torchserve = importlib.util.find_spec("ts")
    assert torchserve is not None and torchserve.origin is not None
    metrics = Path(torchserve.origin).parent / "configs" / "metrics.yaml"
    with tempfile.TemporaryDirectory(prefix="worker-") as folder:
        address = f"{folder}/socket.9000"  # TorchServe wants a number at its end
        command = [sys.executable, str(Path(home.__file__).with_name("model_service_worker.py"))]
        command += ["--sock-type", "unix", "--sock-name", address, "--metrics-config", str(metrics)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            try:

                def connected() -> bool:
                    assert process.poll() is None, "the worker has ended"
                    return connection.connect_ex(address) == 0

                wait_until(connected, READY_SECONDS, "the worker listens")
                yield process, connection
            finally:
                process.kill()


def test_the_end_of_its_connection_ends_it_and_is_no_error(
    worker: tuple[subprocess.Popen[bytes], socket.socket],
) -> None:
    process, connection = worker
    loaded = Path(f"/proc/{process.pid}/maps")
    assert not loaded.exists() or "libtorch" not in loaded.read_text()  # only a model's code imports torch
    connection.close()
    printed, _ = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0
    assert b"Frontend disconnected." in printed
    assert b"ERROR" not in printed
    assert b"Traceback" not in printed
