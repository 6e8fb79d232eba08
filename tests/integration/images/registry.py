"""A registry of images on loopback: Debian's docker-registry, for those who know the password."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from testbed.deadlines import MOMENT_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.ports import free_ports

PROGRAM = "docker-registry"
USER, PASSWORD = "publisher", "a-password-of-the-registry"
# htpasswd -nbB publisher a-password-of-the-registry
_KNOWN = "publisher:$2y$05$p5tRLyVxQ5XEHiSkIFuQEOgg3KVvM1zPuKGQbFR.mURuvCXOLmKvO\n"
_CONFIG = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: images, path: {folder}/htpasswd}}}}
"""


@contextmanager
def running_registry(folder: Path) -> Iterator[str]:
    """Its host and port, which a Docker engine on this machine trusts without TLS.

    Without the program the test is skipped; it fails where REQUIRE_DOCKER=1.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"there is no {PROGRAM}: run `make registry`")
        pytest.skip(f"NO {PROGRAM}, NOTHING IS PUSHED OR PULLED (make registry)")
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    (folder / "htpasswd").write_text(_KNOWN)
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, address=address))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)

    def listens() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        wait_until(listens, MOMENT_SECONDS, "the registry listens")
        yield address
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
