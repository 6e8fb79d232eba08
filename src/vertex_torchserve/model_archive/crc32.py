"""The CRC-32 of a part of a file, summed by several threads."""

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_MOST_THREADS = 4  # beyond that reading from the page cache is the limit
_LEAST_BYTES = 4 << 20  # for which a thread pays
_READ_BYTES = 256 << 10  # stays in a core's cache between the system's call and the sum
# The polynomial of zip and zlib, the bit of x^0 first (APPNOTE.TXT 4.4.7).
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


def crc32_of(file: int, size: int) -> int:
    """The CRC-32 of the first `size` bytes of a file.

    Args:
        file: Descriptor of an open file.
        size: In bytes.

    Raises:
        EOFError: It has fewer.
        OSError: It can't be read.
    """
    threads = max(1, min(_MOST_THREADS, os.cpu_count() or 1, size // _LEAST_BYTES))
    step = -(-size // threads)
    spans = [(begin, min(begin + step, size)) for begin in range(0, size, step)] if size else []
    with ThreadPoolExecutor(threads, thread_name_prefix="crc32") as pool:
        sums = list(pool.map(lambda span: _crc32_between(file, *span), spans))
    whole = 0
    for (begin, end), part in zip(spans, sums, strict=True):
        whole = joined(whole, part, end - begin)
    return whole


def joined(first: int, second: int, length: int) -> int:
    """The CRC-32 of two texts put together, from those of each.

    The first is shifted by the length of the second: multiplied by x^(8 * length) modulo the polynomial.

    Args:
        first: CRC-32 of the first.
        second: CRC-32 of the second.
        length: The second's, in bytes.
    """
    power, shift = 0, _ONE
    while length:
        if length & 1:
            shift = _product(_byte_shift(power), shift)
        length >>= 1
        power += 1
    return _product(shift, first) ^ second


@cache
def _byte_shift(power: int) -> int:
    """x^(8 * 2^power) modulo the polynomial."""
    if power == 0:
        return _ONE >> 8
    half = _byte_shift(power - 1)
    return _product(half, half)


def _product(one: int, other: int) -> int:
    """The product of two polynomials over GF(2), modulo ours."""
    product = 0
    for bit in range(31, -1, -1):
        if one >> bit & 1:
            product ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product


def _crc32_between(file: int, begin: int, end: int) -> int:
    buffer = memoryview(bytearray(min(_READ_BYTES, end - begin)))
    checksum = 0
    while begin < end:
        count = os.preadv(file, [buffer[: end - begin]], begin)
        if not count:
            raise EOFError(f"there is no byte {begin}")
        checksum = zlib.crc32(buffer[:count], checksum)
        begin += count
    return checksum
