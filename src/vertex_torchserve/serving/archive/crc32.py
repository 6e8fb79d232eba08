"""The CRC-32 of a stretch of bytes, read in parts by several threads."""

import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

# Fills a buffer with the bytes from an offset on; returns how many there were.
Read = Callable[[memoryview, int], int]
# Takes what was read at an offset, in any order; the buffer is used again afterwards.
Use = Callable[[memoryview, int], None]

_MOST_THREADS = 4  # beyond that reading from the page cache is the limit
_LEAST_BYTES = 4 << 20  # for which a thread pays
_READ_BYTES = 256 << 10  # stays in a core's cache between the system's call and the sum
# The polynomial of zip and zlib, the bit of x^0 first (APPNOTE.TXT 4.4.7).
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


def reader_of(file: int) -> Read:
    """Reads an open file, given by its descriptor."""
    return lambda buffer, offset: os.preadv(file, [buffer], offset)


def crc32_between(begin: int, end: int, read: Read, use: Use | None = None) -> int:
    """The CRC-32 of the bytes from `begin` up to `end`.

    Args:
        begin: The first byte.
        end: The byte after the last.
        read: Where they come from; called by several threads.
        use: What else is done with them while they are at hand, by the same threads.

    Raises:
        EOFError: There are fewer.
        Exception: What `read` or `use` raises.
    """
    size = end - begin
    threads = max(1, min(_MOST_THREADS, os.cpu_count() or 1, size // _LEAST_BYTES))
    if threads == 1:
        return _crc32_of_span(begin, end, read, use)
    step = -(-size // threads)
    starts = range(begin, end, step)
    ends = [min(start + step, end) for start in starts]
    with ThreadPoolExecutor(threads, thread_name_prefix="crc32") as pool:
        sums = list(pool.map(lambda start, stop: _crc32_of_span(start, stop, read, use), starts, ends))
    whole = 0
    for start, stop, part in zip(starts, ends, sums, strict=True):
        whole = joined(whole, part, stop - start)
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


def _crc32_of_span(begin: int, end: int, read: Read, use: Use | None) -> int:
    buffer = memoryview(bytearray(min(_READ_BYTES, end - begin)))
    checksum = 0
    while begin < end:
        count = read(buffer[: end - begin], begin)
        if not count:
            raise EOFError(f"there is no byte {begin}")
        checksum = zlib.crc32(buffer[:count], checksum)
        if use:
            use(buffer[:count], begin)
        begin += count
    return checksum
