"""One version of an object, read in ranges."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs.client import TRANSFER_TIMEOUT, connect, transfer_retry
from vertex_torchserve.gcs.failures import explained
from vertex_torchserve.gcs.listing import READER_ROLE, StoredObject
from vertex_torchserve.gcs.path import GcsPath

# One request's share of a large object, held in memory: large enough that a request's latency (tens of
# milliseconds) doesn't count, small enough for all workers together (128 MiB).
RANGE_BYTES = 16 << 20


def read_range(item: StoredObject, start: int, end: int, is_wanted: Callable[[], bool]) -> bytes:
    """The bytes from `start` up to `end`, as stored, of the version that was listed.

    Args:
        item: The object.
        start: Offset of the first byte.
        end: Offset of the byte after the last.
        is_wanted: Called before the request is repeated; False ends the attempts.

    Raises:
        Exception: What the client raises.
    """
    blob = connect().bucket(item.bucket).blob(item.key, generation=item.generation)
    data: bytes = blob.download_as_bytes(
        start=start,
        end=end - 1,
        raw_download=True,  # the bytes as stored: they are what the checksum is of
        checksum=None,  # there is one of the whole object only, which the caller compares
        single_shot_download=True,  # the client's other way reads 8 KiB at a time
        retry=transfer_retry(is_wanted),
        timeout=TRANSFER_TIMEOUT,
    )
    return data


class ObjectRanges:
    """Reads one version of an object; raises when a newer one has replaced it.

    Attributes:
        origin: The object's gs:// path.
        size: Its size in bytes.

    Raises:
        InputError: When it is stored compressed.
    """

    def __init__(self, item: StoredObject) -> None:
        if item.gzipped:
            raise InputError(
                Problem(
                    f"'{item}' is stored compressed (`Content-Encoding: gzip`), and can't be read in ranges.",
                    "Upload it anew without that header.",
                )
            )
        self.origin = str(item)
        self.size = item.size
        self._item = item

    def read(self, start: int, end: int, is_wanted: Callable[[], bool] = lambda: True) -> bytes:
        """The bytes from `start` up to `end`.

        Args:
            start: Offset of the first byte.
            end: Offset of the byte after the last.
            is_wanted: Called before a failed request is repeated; False ends the attempts.

        Raises:
            InputError: No permission, no answer at the endpoint, or the object was replaced.
            StorageError: The service goes on failing.
        """
        with self._explained():
            return read_range(self._item, start, end, is_wanted)

    def _explained(self) -> AbstractContextManager[None]:
        return explained(
            GcsPath(self._item.bucket, self._item.key), READER_ROLE, missing=replaced(self.origin)
        )


def replaced(what: object) -> Problem:
    """The problem to report when an object that was listed is gone while it is read."""
    return Problem(
        f"{what}: an object was replaced or deleted while it was being downloaded.",
        "Try again when nobody writes to the folder.",
    )
