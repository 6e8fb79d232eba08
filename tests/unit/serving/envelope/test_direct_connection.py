"""The worker's batches come on a connection of our own, and TorchServe's stays open beside it."""

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from vertex_torchserve.serving.envelope.direct_connection import DirectConnection


class Ends(NamedTuple):
    """Both ends of TorchServe's connection, and where the worker listens for ours."""

    jvm: socket.socket
    worker: socket.socket
    direct: Path


@pytest.fixture
def ends() -> Iterator[Ends]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vts-")))
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(folder / ".ts.sock.9000"))
        listener.listen(1)
        jvm = stack.enter_context(socket.socket(socket.AF_UNIX))
        jvm.connect(str(folder / ".ts.sock.9000"))
        worker = stack.enter_context(listener.accept()[0])
        yield Ends(jvm, worker, folder / ".direct.9000")


def read(connection: socket.socket) -> bytes:
    """What stands for TorchServe's function."""
    return connection.recv(100)


def test_batches_come_on_the_direct_connection(ends: Ends) -> None:
    messages = DirectConnection(read)
    ends.jvm.sendall(b"load")
    assert messages.retrieve_msg(ends.worker) == b"load"
    ends.worker.sendall(b"loaded")
    assert ends.jvm.recv(100) == b"loaded"
    with socket.socket(socket.AF_UNIX) as direct:
        direct.connect(str(ends.direct))
        direct.sendall(b"first")
        assert messages.retrieve_msg(ends.worker) == b"first"
        assert not ends.direct.exists()
        ends.worker.sendall(b"answer")
        assert direct.recv(100) == b"answer"
        direct.sendall(b"second")
        assert messages.retrieve_msg(ends.worker) == b"second"
        with pytest.raises(BlockingIOError):  # open, and nothing on it
            ends.jvm.recv(100, socket.MSG_DONTWAIT)
    assert messages.retrieve_msg(ends.worker) == b""


def test_where_nobody_connects_all_comes_on_torchserves_own(ends: Ends) -> None:
    messages = DirectConnection(read)
    for message in (b"load", b"first", b"second"):
        ends.jvm.sendall(message)
        assert messages.retrieve_msg(ends.worker) == message
    ends.jvm.close()
    assert messages.retrieve_msg(ends.worker) == b""


def test_what_a_worker_before_left_is_in_nobodys_way(ends: Ends) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(ends.direct))
    messages = DirectConnection(read)
    ends.jvm.sendall(b"load")
    assert messages.retrieve_msg(ends.worker) == b"load"
    with socket.socket(socket.AF_UNIX) as direct:
        direct.connect(str(ends.direct))
        direct.sendall(b"first")
        assert messages.retrieve_msg(ends.worker) == b"first"
