"""TorchServe's worker reads what the JVM sends through a buffer.

By itself it asks the kernel for each number of a message apart, and for each name and value of a header: some
forty times for a request of six headers.
"""

import io
import logging
import socket
import sys
from typing import BinaryIO


class BufferedMessages:
    """Reads the messages of one connection at a time, in place of TorchServe's `_retrieve_buffer`."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._buffer: BinaryIO = io.BytesIO()  # until there is a connection

    def read(self, connection: socket.socket, length: int) -> bytearray:
        """Read so many bytes; ends the worker when the JVM has closed the connection, as TorchServe does."""
        if connection is not self._connection:
            self._buffer.close()
            self._connection = connection
            self._buffer = connection.makefile("rb")
        data = self._buffer.read(length)
        if len(data) < length:
            self._buffer.close()
            logging.info("Frontend disconnected.")
            sys.exit(0)
        return bytearray(data)
