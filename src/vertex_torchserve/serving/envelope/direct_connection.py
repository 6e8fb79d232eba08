"""A second connection from the JVM, on which the worker's batches come once the model is loaded.

TorchServe's own connection stays open beside it: when this process ends, so does that connection, by which
TorchServe knows (serving/java, package `worker`).
"""

import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


class DirectConnection:
    """Has the messages of TorchServe's connection read from the direct one, if the JVM makes one.

    Args:
        retrieve_msg: TorchServe's function that reads a message from a connection.
    """

    def __init__(self, retrieve_msg: Callable[[socket.socket], Any]) -> None:
        self._retrieve_msg = retrieve_msg
        self._listener: socket.socket | None = None  # from the first message to the second one
        self._torchserves = -1  # the descriptor of its connection, once the direct one has taken the place
        self._decided = False

    def retrieve_msg(self, connection: socket.socket) -> Any:
        """Read a message: the first is to load the model, and once it is loaded the JVM connects."""
        if self._listener is not None:
            with self._listener as listener:
                self._choose(connection, listener)
            self._listener, self._decided = None, True
        elif not self._decided and connection.family == socket.AF_UNIX:  # TCP where netty has nothing better
            self._listener = _listen_beside(connection)
        return self._retrieve_msg(connection)

    def _choose(self, connection: socket.socket, listener: socket.socket) -> None:
        """Wait for the JVM to connect, or for a message where it doesn't: that of an asynchronous worker."""
        ready = select.poll()
        ready.register(connection, select.POLLIN)
        ready.register(listener, select.POLLIN)
        if (listener.fileno(), select.POLLIN) in ready.poll():
            direct, _ = listener.accept()
            with direct:  # `connection` is the direct one from now on, for all who hold it
                self._torchserves = os.dup(connection.fileno())
                os.dup2(direct.fileno(), connection.fileno(), inheritable=False)
        Path(listener.getsockname()).unlink()


def _listen_beside(connection: socket.socket) -> socket.socket:
    """Listen in the folder of TorchServe's socket, `.ts.sock.NUMBER`, at `.direct.NUMBER`."""
    own = Path(connection.getsockname())
    path = own.with_name(f".direct{own.suffix}")
    path.unlink(missing_ok=True)  # of a worker before this one
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    return listener
