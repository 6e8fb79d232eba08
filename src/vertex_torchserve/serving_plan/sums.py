"""What tells the content of a file from any other."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve.gcs import checksum

_BLOCK_BYTES = 1 << 20


class Sums(NamedTuple):
    """The sums of a file.

    Attributes:
        sha256: In hexadecimal.
        crc32c: As Cloud Storage writes it.
    """

    sha256: str
    crc32c: str


def sums_of(path: Path) -> Sums:
    """Read a file once and sum it: the digest, and beside it what an upload needs.

    Args:
        path: The file.

    Raises:
        OSError: It can't be read.
    """
    sha256, crc32c = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(1, thread_name_prefix="crc32c") as beside:
        while block := file.read(_BLOCK_BYTES):
            summed = beside.submit(checksum.crc32c, block, crc32c)
            sha256.update(block)
            crc32c = summed.result()
    return Sums(sha256.hexdigest(), checksum.encoded(crc32c))
