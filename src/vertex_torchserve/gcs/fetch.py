"""Objects fetched in parallel ranges, each checked against its metadata."""

import gzip
import shutil
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs import checksum
from vertex_torchserve.gcs.client import WORKERS
from vertex_torchserve.gcs.listing import StoredObject
from vertex_torchserve.gcs.ranges import RANGE_BYTES, read_range


@dataclass
class Fetch:
    """One object on its way to one file.

    Attributes:
        item: The object.
        target: The file to write; it must not exist.
        pieces: Checksum and length of each range that has arrived, by its offset.
    """

    item: StoredObject
    target: Path
    pieces: dict[int, tuple[int, int]] = field(default_factory=dict)

    def is_right(self) -> bool:
        """Whether the bytes that arrived are those the metadata describes."""
        in_order = [self.pieces[start] for start in sorted(self.pieces)]
        return checksum.encoded(checksum.joined(in_order)) == self.item.crc32c


def fetch(fetches: list[Fetch], progress: Callable[[int], None] | None = None) -> None:
    """Fetch all objects; those that arrive corrupt are fetched once more.

    Args:
        fetches: Objects and files.
        progress: Called with the bytes that arrived since the last call, by one thread at a time. What is
            fetched a second time is not counted again.

    Raises:
        InputError: An object arrives corrupt twice, or two have the same file.
        Exception: What the client or the disk raises; no thread is left running.
    """
    for each in fetches:
        _create(each)
    _fetch_ranges(fetches, progress or _ignore)
    corrupt = [each for each in fetches if not each.is_right()]
    if corrupt:
        _fetch_ranges(corrupt, _ignore)
    _require_right(corrupt)
    for each in fetches:
        if each.item.gzipped:
            _unpack(each)


def _fetch_ranges(fetches: Iterable[Fetch], progress: Callable[[int], None]) -> None:
    given_up = threading.Event()
    reporting = threading.Lock()

    def work(each: Fetch, start: int) -> None:
        if not given_up.is_set():
            arrived = _fetch_range(each, start, lambda: not given_up.is_set())
            with reporting:
                progress(arrived)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="gcs") as pool:
        try:
            tasks = [
                pool.submit(work, each, start)
                for each in fetches
                for start in range(0, each.item.size, RANGE_BYTES)
            ]
            for task in wait(tasks, return_when=FIRST_EXCEPTION).done:
                task.result()
        finally:
            given_up.set()


def _fetch_range(each: Fetch, start: int, is_wanted: Callable[[], bool]) -> int:
    data = read_range(each.item, start, min(start + RANGE_BYTES, each.item.size), is_wanted)
    with each.target.open("r+b") as file:
        file.seek(start)
        file.write(data)
    each.pieces[start] = (checksum.crc32c(data), len(data))
    return len(data)


def _create(each: Fetch) -> None:
    each.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        each.target.open("xb").close()
    except FileExistsError:
        raise InputError(
            Problem(
                f"'{each.item}' would land on another object's file: on this disk both names are the same.",
                "Rename or ignore one of the two.",
            )
        ) from None


def _require_right(fetches: Iterable[Fetch]) -> None:
    wrong = [each.item for each in fetches if not each.is_right()]
    if wrong:
        raise InputError(
            *(
                Problem(
                    f"'{item}' arrived corrupt twice: not the {item.size} bytes with CRC32C {item.crc32c} "
                    "of its metadata.",
                    "Try again; if it stays like this, upload the object anew.",
                )
                for item in wrong
            )
        )


def _unpack(each: Fetch) -> None:
    unpacked = each.target.with_name(f"{each.target.name}.unpacked")
    try:
        with gzip.open(each.target) as source, unpacked.open("xb") as target:
            shutil.copyfileobj(source, target)
    except (gzip.BadGzipFile, EOFError):
        raise InputError(
            Problem(
                f"'{each.item}' says `Content-Encoding: gzip` and is not gzip.",
                "Upload it anew without that header.",
            )
        ) from None
    unpacked.replace(each.target)


def _ignore(_: int) -> None:
    """Report no progress."""
