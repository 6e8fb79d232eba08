"""CRC32C as Cloud Storage writes it."""

from pathlib import Path

import pytest

from vertex_torchserve.gcs import checksum

# RFC 3720, B.4: 32 bytes of zeros, of ones, of ascending and of descending values; the CRC catalogue's check.
KNOWN = [
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
    (b"123456789", 0xE3069283),
    (b"", 0),
]


@pytest.mark.parametrize(("data", "expected"), KNOWN)
def test_known_values(data: bytes, expected: int) -> None:
    assert checksum.crc32c(data) == expected


@pytest.mark.parametrize("cut", [0, 1, 16, 31, 32])
@pytest.mark.parametrize(("data", "expected"), KNOWN[:4])
def test_pieces_make_the_whole(data: bytes, expected: int, cut: int) -> None:
    pieces = [(checksum.crc32c(part), len(part)) for part in (data[:cut], data[cut:])]
    assert checksum.joined(pieces) == expected


def test_three_pieces_longer_than_a_block() -> None:
    # CRC32C of 3,145,731 zero bytes (three blocks of zeros and three bytes),
    # worked out byte by byte in plain Python.
    pieces = [(checksum.crc32c(bytes(size)), size) for size in (1_048_577, 1, 2_097_153)]
    assert checksum.joined(pieces) == 0xE089A7C1


def test_no_pieces_are_the_empty_file() -> None:
    assert checksum.encoded(checksum.joined([])) == "AAAAAA=="


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "check").write_bytes(b"123456789")
    assert checksum.of_file(tmp_path / "check") == "4waSgw=="
