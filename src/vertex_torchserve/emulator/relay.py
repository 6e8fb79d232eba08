"""Passes TCP connections on from one listener to one address."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

_PIECE_BYTES = 64 * 1024
Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


class Relay:
    """A thread that passes connections on, from `start` to `stop`.

    Args:
        listener: A listening socket.
        target: Host and port.
        greeting: What is said with a client before; False ends the connection.
    """

    def __init__(
        self, listener: socket.socket, target: tuple[str, int], greeting: Greeting | None = None
    ) -> None:
        self._listener = listener
        self._target = target
        self._greeting = greeting
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Start to pass on; clients that connected before have waited."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the listener."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, sock=self._listener)
        await self._ended.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client may leave at any moment: nobody is left to be told.
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                if self._greeting is None or await self._greeting(reader, writer):
                    await self._pass_on(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        await _close(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self._target)
        ways = [
            asyncio.create_task(_copy(reader, inner_writer)),
            asyncio.create_task(_copy(inner_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await _close(inner_writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close it when it has sent what it has; one that can't is cut off."""
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
