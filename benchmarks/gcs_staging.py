"""Download a folder from a storage emulator: one object after the other, and with `download_folder`.

    python -m benchmarks.gcs_staging

Both ways read the same objects in turns; the best of each is reported. The emulator is gcp-storage-emulator's
own code in a process of its own, answering its requests in threads. It is measured as it is, and with 20 ms
added to every request: loopback has no latency, and hiding latency is half of what parallel requests are for.
No figure here is one of Cloud Storage itself. Writes benchmarks/results/gcs_staging.KIND.json and
gcs_staging.md.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.cloud import storage

from benchmarks.published import installed_versions, publish, table
from vertex_torchserve.gcs import GcsPath, download_folder

BUCKET = "benchmark"
# Sizes of the files, in bytes.
FOLDERS = {
    "180 MiB file, 20 of 1 MiB": [180 << 20] + [1 << 20] * 20,
    "300 files of 4 KiB": [4 << 10] * 300,
}
QUICK_FOLDERS = {"4 MiB file, 10 of 4 KiB": [4 << 20] + [4 << 10] * 10}
LATENCIES_MS = (0, 20)
ROUNDS = 3
STOP_SECONDS = 30.0
PACKAGES = ("google-cloud-storage", "gcp-storage-emulator", "google-crc32c")
Row = dict[str, Any]

# The delay is read from a file for each request, so that one emulator serves every latency.
EMULATOR = """
import sys, time
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

bucket, delay = sys.argv[1], Path(sys.argv[2])

class Delayed(RequestHandler):
    def do_GET(self):
        time.sleep(float(delay.read_text()))
        super().do_GET()

class Server(ThreadingHTTPServer):
    request_queue_size = 128

objects = Storage(use_memory_fs=True)
create_bucket(bucket, objects)
server = Server(("127.0.0.1", 0), partial(Delayed, objects))
Thread(target=server.serve_forever).start()
print(server.server_port, flush=True)
sys.stdin.read()
server.shutdown()
"""


def one_by_one(folder: str, destination: Path) -> None:
    """What a loop over the client's own downloads does."""
    for blob in storage.Client(project=None).list_blobs(BUCKET, prefix=f"{folder}/"):
        blob.download_to_filename(str(destination / blob.name.removeprefix(f"{folder}/")))


def parallel(folder: str, destination: Path) -> None:
    """What this project does."""
    download_folder(GcsPath(BUCKET, folder), destination)


WAYS: Mapping[str, Callable[[str, Path], None]] = {"one by one": one_by_one, "parallel": parallel}


def seconds_of(way: str, folder: str, expected_bytes: int) -> float:
    """The time of one download into a new folder, which must hold everything afterwards.

    Raises:
        SystemExit: When it holds more or less.
    """
    with tempfile.TemporaryDirectory(prefix="gcs-staging-") as name:
        destination = Path(name)
        begun = time.perf_counter()
        WAYS[way](folder, destination)
        seconds = time.perf_counter() - begun
        arrived = sum(path.stat().st_size for path in destination.iterdir())
    if arrived != expected_bytes:
        raise SystemExit(f"{way}: {arrived} bytes arrived, {expected_bytes} were stored")
    return seconds


def measure(folder: str, sizes: list[int], rounds: int) -> list[Row]:
    """A row for each way, taken in turns so that neither has the warmer machine."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, taken in seconds.items():
            taken.append(seconds_of(way, folder, sum(sizes)))
    return [
        {
            "way": way,
            "seconds": [round(each, 3) for each in taken],
            "mb_per_s": round(sum(sizes) / 1e6 / min(taken), 1),
            "files_per_s": round(len(sizes) / min(taken), 1),
            "times_faster": round(min(seconds["one by one"]) / min(taken), 2),
        }
        for way, taken in seconds.items()
    ]


def measure_all(folders: Mapping[str, list[int]], rounds: int, delay: Path) -> list[Row]:
    """Fill the emulator's folders, then measure each of them under each latency.

    Args:
        folders: Sizes of each folder's files, in bytes.
        rounds: Downloads of each folder, each way.
        delay: The file in which the emulator reads its latency.
    """
    bucket = storage.Client(project=None).bucket(BUCKET)
    rows: list[Row] = []
    for number, (name, sizes) in enumerate(folders.items()):
        folder = f"folder-{number}"
        for file, size in enumerate(sizes):
            content = hashlib.shake_128(b"%d" % file).digest(size)
            bucket.blob(f"{folder}/file-{file:03}.bin").upload_from_string(content)
        for latency_ms in LATENCIES_MS:
            delay.write_text(str(latency_ms / 1000))
            about = {"folder": name, "bytes": sum(sizes), "added_latency_ms": latency_ms}
            rows += [{**about, **row} for row in measure(folder, sizes, rounds)]
            sys.stderr.write(f"{rows[-2]}\n{rows[-1]}\n")
        delay.write_text("0")
    return rows


@contextmanager
def emulator() -> Iterator[Path]:
    """A running emulator that the storage client of this process talks to; gives the file of its latency."""
    with tempfile.TemporaryDirectory() as scratch, Path(scratch, "log").open("wb") as log:
        delay = Path(scratch, "delay")
        delay.write_text("0")
        process = subprocess.Popen(
            [sys.executable, "-c", EMULATOR, BUCKET, str(delay)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            port = process.stdout.readline() if process.stdout else ""
            os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{int(port)}"
            yield delay
        finally:
            process.communicate(timeout=STOP_SECONDS)


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round of one small folder, not published")
    quick = parser.parse_args().quick
    folders, rounds = (QUICK_FOLDERS, 1) if quick else (FOLDERS, ROUNDS)
    with emulator() as delay:
        rows = measure_all(folders, rounds, delay)
    columns = ("folder", "added_latency_ms", "way", "mb_per_s", "files_per_s", "times_faster")
    shown = [[row[column] for column in columns] for row in rows]
    publish(
        "gcs_staging", "Downloading a folder from the storage emulator", {"rounds": rounds}, rows,
        table([column.replace("_", " ") for column in columns], shown), trial=quick,
        programs={"both": installed_versions(sys.executable, PACKAGES)},
    )  # fmt: skip


if __name__ == "__main__":
    main()
