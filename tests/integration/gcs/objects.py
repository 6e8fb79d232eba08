"""The places and contents of objects in tests of transfers."""

import hashlib

from tests.storage_emulator import StorageEmulator
from vertex_torchserve.gcs import GcsPath

# The CRC32C of b"123456789" is 0xE3069283 (the check value of the CRC catalogue, RFC 3720 B.4's polynomial).
CHECK_BYTES = b"123456789"
CHECK_CRC32C = "4waSgw=="


def folder(storage: StorageEmulator, key: str = "model") -> GcsPath:
    return GcsPath(storage.bucket, key)


def noise(size: int) -> bytes:
    """Bytes no two stretches of which are alike, so that a range at a wrong place shows."""
    return hashlib.shake_128(b"weights").digest(size)
