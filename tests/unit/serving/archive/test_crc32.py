"""The CRC-32 of a stretch of a file, summed in parts."""

import hashlib
import zlib
from pathlib import Path

import pytest

from vertex_torchserve.serving.archive.crc32 import crc32_between, joined, reader_of

MIB = 1 << 20


def test_a_checksum_of_parts_is_that_of_the_whole(tmp_path: Path) -> None:
    content = hashlib.shake_128().digest(13 * MIB + 5)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        read = reader_of(file.fileno())
        assert crc32_between(0, len(content), read) == zlib.crc32(content)
        assert crc32_between(5, 12 * MIB, read) == zlib.crc32(content[5 : 12 * MIB])
        assert crc32_between(7, 7, read) == 0
        with pytest.raises(EOFError, match="there is no byte"):
            crc32_between(0, len(content) + 1, read)
    for cut in (0, 1, 255, 4096, len(content)):
        first, second = content[:cut], content[cut:]
        assert joined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(content)


def test_every_byte_is_used_once(tmp_path: Path) -> None:
    content = hashlib.shake_128().digest(9 * MIB + 1)
    (tmp_path / "file").write_bytes(content)
    used: dict[int, bytes] = {}
    with (tmp_path / "file").open("rb") as file:
        crc32_between(
            3, len(content), reader_of(file.fileno()), lambda block, at: used.update({at: bytes(block)})
        )
    assert b"".join(used[at] for at in sorted(used)) == content[3:]
