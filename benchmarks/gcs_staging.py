"""Download a folder from a storage emulator: one object after the other, and with `download_folder`.

Run: python benchmarks/gcs_staging.py. Both ways read the same objects in turns; the best of each is reported.
The emulator is gcp-storage-emulator's own code in a process of its own, answering its requests in threads.
It is measured as it is, and with 20 ms added to every request: loopback has no latency, and hiding latency is
half of what parallel requests are for. No figure here is one of Cloud Storage itself.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.cloud import storage
from rich.console import Console
from rich.table import Table

from vertex_torchserve.gcs import GcsPath, download_folder

RESULTS = Path(__file__).parent / "results" / "gcs_staging.json"
BUCKET = "benchmark"
FOLDERS = {
    "180 MiB file, 20 of 1 MiB": [180 << 20] + [1 << 20] * 20,
    "300 files of 4 KiB": [4 << 10] * 300,
}
LATENCIES_MS = (0, 20)
ROUNDS = 3
STOP_DEADLINE_S = 30.0

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


def seconds_of(download: Callable[[str, Path], None], folder: str, expected_bytes: int) -> float:
    """The time of one download into a new folder, which must hold everything afterwards."""
    destination = Path(tempfile.mkdtemp(prefix="gcs-staging-"))
    try:
        begun = time.perf_counter()
        download(folder, destination)
        seconds = time.perf_counter() - begun
        arrived = sum(path.stat().st_size for path in destination.iterdir())
        if arrived != expected_bytes:
            raise SystemExit(f"{download.__name__}: {arrived} bytes arrived, {expected_bytes} were stored")
        return seconds
    finally:
        shutil.rmtree(destination)


def measure(name: str, folder: str, sizes: list[int], latency_ms: int) -> list[dict[str, Any]]:
    """A row for each way, taken in turns so that neither has the warmer machine."""
    seconds: dict[str, list[float]] = {"one by one": [], "parallel": []}
    for _ in range(ROUNDS):
        seconds["one by one"].append(seconds_of(one_by_one, folder, sum(sizes)))
        seconds["parallel"].append(seconds_of(parallel, folder, sum(sizes)))
    return [
        {
            "folder": name,
            "bytes": sum(sizes),
            "added_latency_ms": latency_ms,
            "way": way,
            "seconds": [round(each, 3) for each in rounds],
            "mb_per_s": round(sum(sizes) / 1e6 / min(rounds), 1),
            "files_per_s": round(len(sizes) / min(rounds), 1),
            "times_faster": round(min(seconds["one by one"]) / min(rounds), 2),
        }
        for way, rounds in seconds.items()
    ]


def measure_all(delay: Path) -> list[dict[str, Any]]:
    """Fill the emulator's folders, then measure each of them under each latency."""
    bucket = storage.Client(project=None).bucket(BUCKET)
    rows = []
    for number, (name, sizes) in enumerate(FOLDERS.items()):
        folder = f"folder-{number}"
        for file, size in enumerate(sizes):
            content = hashlib.shake_128(b"%d" % file).digest(size)
            bucket.blob(f"{folder}/file-{file:03}.bin").upload_from_string(content)
        for latency_ms in LATENCIES_MS:
            delay.write_text(str(latency_ms / 1000))
            rows += measure(name, folder, sizes, latency_ms)
        delay.write_text("0")
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    columns = ("folder", "added_latency_ms", "way", "mb_per_s", "files_per_s", "times_faster")
    table = Table(*columns, title="Download from the storage emulator")
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    Console(width=110).print(table)


def main() -> None:
    """Measure, write the results, print the table."""
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "log").open("wb") as log:
        delay = Path(scratch) / "delay"
        delay.write_text("0")
        emulator = subprocess.Popen(
            [sys.executable, "-c", EMULATOR, BUCKET, str(delay)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            port = emulator.stdout.readline() if emulator.stdout else ""
            os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{int(port)}"
            rows = measure_all(delay)
        finally:
            emulator.communicate(timeout=STOP_DEADLINE_S)
    packages = ("google-cloud-storage", "gcp-storage-emulator", "google-crc32c")
    report = {
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "versions": {package: version(package) for package in packages},
        "results": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    show(rows)


if __name__ == "__main__":
    main()
