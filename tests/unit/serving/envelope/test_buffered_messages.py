"""What the worker reads from the JVM, whole however it comes, and with few system calls."""

import socket
import threading
from collections.abc import Iterator

import pytest

from vertex_torchserve.serving.envelope.buffered_messages import BufferedMessages

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def sockets() -> Iterator[Pair]:
    jvm, worker = socket.socketpair()
    with jvm, worker:
        yield jvm, worker


def test_what_comes_at_once_is_read_in_parts(sockets: Pair) -> None:
    jvm, worker = sockets
    messages = BufferedMessages()
    jvm.sendall(b"I\x00\x00\x00\x07request")
    assert messages.read(worker, 1) == bytearray(b"I")
    with pytest.raises(BlockingIOError):  # all of it has been taken with the first byte
        worker.recv(1, socket.MSG_DONTWAIT)
    assert messages.read(worker, 4) == bytearray(b"\x00\x00\x00\x07")
    assert messages.read(worker, 7) == bytearray(b"request")


def test_a_large_part_is_whole(sockets: Pair) -> None:
    jvm, worker = sockets
    body = bytes(range(256)) * 8192
    sender = threading.Thread(target=jvm.sendall, args=(b"first" + body + b"last",))
    sender.start()
    messages = BufferedMessages()
    assert messages.read(worker, 5) == bytearray(b"first")
    assert messages.read(worker, len(body)) == bytearray(body)
    assert messages.read(worker, 4) == bytearray(b"last")
    sender.join()


def test_nothing_is_read_of_an_empty_value(sockets: Pair) -> None:
    assert BufferedMessages().read(sockets[1], 0) == bytearray()


def test_another_connection_begins_anew(sockets: Pair) -> None:
    jvm, worker = sockets
    messages = BufferedMessages()
    jvm.sendall(b"ab")
    assert messages.read(worker, 1) == bytearray(b"a")
    other_jvm, other_worker = socket.socketpair()
    with other_jvm, other_worker:
        other_jvm.sendall(b"c")
        assert messages.read(other_worker, 1) == bytearray(b"c")


def test_the_worker_ends_when_the_jvm_has_closed_the_connection(sockets: Pair) -> None:
    jvm, worker = sockets
    jvm.sendall(b"half of ")
    jvm.close()
    with pytest.raises(SystemExit) as end:
        BufferedMessages().read(worker, 20)
    assert end.value.code == 0
    worker.close()
    assert worker.fileno() == -1, "its buffer holds it open"
