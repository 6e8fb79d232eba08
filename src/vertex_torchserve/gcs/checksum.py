"""CRC32C as Cloud Storage writes it: the big-endian value in base64."""

import base64
from collections.abc import Iterable
from pathlib import Path

_ALL_BITS = 0xFFFFFFFF
_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


def crc32c(data: bytes, start: int = 0) -> int:
    """The checksum of `data`, or of what came before (`start`) followed by `data`."""
    import google_crc32c

    return int(google_crc32c.extend(start, data))


def joined(pieces: Iterable[tuple[int, int]]) -> int:
    """The checksum of pieces put end to end, from their own checksums.

    A CRC is linear: the register after A and then B is B's, with A's run through as many zero bytes as B is
    long. So ranges that arrive out of order need not be read again.

    Args:
        pieces: Checksum and length in bytes of each piece, in the order in which they lie in the file.
    """
    whole = 0
    for piece, length in pieces:
        shifted = whole ^ _ALL_BITS
        for _ in range(length // _BLOCK):
            shifted = crc32c(_ZEROS, shifted)
        whole = piece ^ crc32c(_ZEROS[: length % _BLOCK], shifted) ^ _ALL_BITS
    return whole


def encoded(value: int) -> str:
    """The checksum as it stands in an object's metadata, such as `4waSgw==`."""
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def of_file(path: Path) -> str:
    """The checksum of a file's bytes, encoded.

    Raises:
        OSError: When the file can't be read.
    """
    value = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            value = crc32c(block, value)
    return encoded(value)
