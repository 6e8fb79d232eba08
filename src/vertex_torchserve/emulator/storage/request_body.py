"""The body of a request: whole in memory, or piece by piece."""

import zlib
from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from types import SimpleNamespace
from typing import Any, BinaryIO

from gcp_storage_emulator.server import Request, _read_data

_PIECE_BYTES = 1 << 20
# `wbits` of zlib: "32 + 15: automatic header detection, zlib or gzip".
_INFLATES = {"gzip": 47, "deflate": 47}


class Body:
    """What comes after the headers of a request.

    Args:
        stream: Where it is read.
        headers: The request's.

    Attributes:
        length: How many bytes are announced; None when they come in chunks, or compressed.
    """

    def __init__(self, stream: BinaryIO, headers: Message) -> None:
        self._stream = stream
        self._is_chunked = (headers.get("Transfer-Encoding") or "").lower() == "chunked"
        self._coding = headers.get("Content-Encoding") or ""
        self._announced = 0 if self._is_chunked else int(headers.get("Content-Length") or 0)
        known = not self._is_chunked and self._coding not in _INFLATES
        self.length: int | None = self._announced if known else None
        self._pieces = self._inflated() if self._coding in _INFLATES else self._received()

    def pieces(self, skipped: int = 0) -> Iterator[memoryview]:
        """The bytes that have not been read yet, inflated where the request says that they are compressed.

        Args:
            skipped: How many bytes are passed over.

        Yields:
            Pieces, each to be used before the next is asked for.

        Raises:
            ConnectionError: The client has gone before the end.
            zlib.error: What should be compressed is not.
        """
        for piece in self._pieces:
            rest = piece[skipped:]
            skipped -= len(piece) - len(rest)
            if rest:
                yield rest

    def whole(self) -> bytes:
        """All that has not been read yet."""
        return b"".join(bytes(piece) for piece in self.pieces())  # each piece is read into the same buffer

    def _inflated(self) -> Iterator[memoryview]:
        inflating = zlib.decompressobj(_INFLATES[self._coding])
        for piece in self._received():
            rest: bytes | memoryview = piece
            while rest:
                yield memoryview(inflating.decompress(rest, _PIECE_BYTES))
                rest = inflating.unconsumed_tail
        yield memoryview(inflating.flush())

    def _received(self) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(_PIECE_BYTES))
        if not self._is_chunked:
            yield from self._read(self._announced, buffer)
            return
        while size := int(self._line().partition(b";")[0], 16):
            yield from self._read(size, buffer)
            self._line()
        while self._line():  # trailers, and the empty line at the end
            pass

    def _line(self) -> bytes:
        line = self._stream.readline(_PIECE_BYTES)
        if not line:
            raise _gone()
        return line.strip()

    def _read(self, size: int, buffer: memoryview) -> Iterator[memoryview]:
        while size:
            count = self._stream.readinto(buffer[:size])  # type: ignore[attr-defined]
            if not count:
                raise _gone()
            size -= count
            yield buffer[:count]


class BodyRequest(Request):  # type: ignore[misc]
    """The library's request, whose body is read by `Body`.

    Attributes:
        body: It; whoever takes it piece by piece doesn't ask for `data`.
    """

    def __init__(self, handler: Any, method: str) -> None:
        super().__init__(handler, method)
        self.body = Body(handler.rfile, handler.headers)

    def read(self) -> None:
        """Read the body, so that `data`, which is what the library makes of it, waits for no client."""
        content = self.body.whole()
        headers = {"Content-Length": str(len(content)), "Content-Type": self.get_header("Content-Type")}
        self._data = _read_data(SimpleNamespace(headers=headers, rfile=BytesIO(content)), self._query)


def _gone() -> ConnectionError:
    return ConnectionError("the client went away before the end of its request")
