"""CRC32C as Cloud Storage writes it: the big-endian value in base64."""

import base64
from collections.abc import Iterable
from pathlib import Path

_ALL_BITS = 0xFFFFFFFF
_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


def crc32c(data: bytes, start: int = 0) -> int:
    """The checksum of `data`, or of earlier bytes followed by `data`.

    Args:
        data: The bytes.
        start: The checksum of the earlier bytes; 0 for none.
    """
    import google_crc32c

    return int(google_crc32c.extend(start, data))


def joined(pieces: Iterable[tuple[int, int]]) -> int:
    """The checksum of pieces put end to end, from their own checksums.

    A CRC is linear: the checksum of A followed by B is the xor of B's own checksum and of A's, when A's was
    shifted through as many zero bytes as B has (without the inversions that CRC32C does before and after). So
    ranges that arrived out of order need not be read from the disk again.

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
