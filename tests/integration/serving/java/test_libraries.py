"""The server runs on the libraries that are kept up, with netty's native transport; and without them."""

import tempfile
from pathlib import Path

import psutil
import pytest

from testbed.archives import write_archive
from testbed.jvm_server import JvmServer, fetch, model_config
from vertex_torchserve.serving.java_libraries.class_path import libraries_folders

# A thread's name has 15 characters in Linux.
EPOLL = "epollEventLoopGroup"[:15]


def threads(server: JvmServer) -> set[str]:
    return {path.read_text().strip() for path in Path(f"/proc/{server.process.pid}/task").glob("*/comm")}


def open_jars(server: JvmServer) -> set[str]:
    return {Path(found.path).name for found in psutil.Process(server.process.pid).open_files()}


@pytest.mark.skipif(
    not libraries_folders()[-1].is_dir(), reason="THE JAVA LIBRARIES ARE NOT MADE: make setup"
)
def test_the_kept_up_netty_serves_with_its_native_transport(measuring_server: JvmServer) -> None:
    assert EPOLL in threads(measuring_server)
    jars = open_jars(measuring_server)
    assert {"netty-codec-http-4.2.13.Final.jar", "log4j-core-2.25.4.jar"} <= jars
    assert "model-server.jar" not in jars


def test_registering_is_refused_before_its_request_is_read(measuring_server: JvmServer) -> None:
    """Reading it would need a class of gRPC's, which is left out."""
    answer = fetch(
        f"http://127.0.0.1:{measuring_server.management}/models", method="POST", body=b'{"url": "x.mar"}'
    )
    assert answer is not None
    assert answer[0] == 405


def test_torchserve_s_own_jar_serves_too(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as empty:
        monkeypatch.setenv("XDG_CACHE_HOME", empty)
        archive = write_archive(work / "store", config=model_config())
        with JvmServer(work / "run", archive) as server:
            server.wait_healthy()
            assert "model-server.jar" in open_jars(server)
            assert EPOLL in threads(server)
