"""Download a model-like folder from a storage emulator: one object after the other, and with `download_folder`.

Run: python benchmarks/gcs_staging.py. Both ways read the same objects from the same emulator, in turns; the best of
each is reported. The emulator is a process of its own on loopback and answers one request at a time, so the figures
compare the two clients' own cost. They say nothing about a network: there, requests in parallel hide its latency,
which loopback doesn't have.
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

from google.cloud import storage
from rich.console import Console
from rich.table import Table

from vertex_torchserve.gcs import GcsPath, download_folder

RESULTS = Path(__file__).parent / "results" / "gcs_staging.json"
BUCKET = "benchmark"
FOLDERS = {
    "one 180 MiB file and 20 of 1 MiB": [180 << 20] + [1 << 20] * 20,
    "300 files of 4 KiB": [4 << 10] * 300,
}
ROUNDS = 3
START_DEADLINE_S = 30.0


def start_emulator(log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the emulator in a process of its own; it prints the address it was given."""
    program = (
        "import sys, time, threading\n"
        "from gcp_storage_emulator.server import create_server\n"
        f"server = create_server('127.0.0.1', 0, in_memory=True, default_bucket={BUCKET!r})\n"
        "server.start()\n"
        "print(server._api._httpd.server_address[1], flush=True)\n"
        "sys.stdin.read()\n"
        "server.stop()\n"
    )
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
    assert process.stdout  # noqa: S101 - a pipe was asked for
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"


def fill(folder: str, sizes: list[int]) -> None:
    bucket = storage.Client(project=None).bucket(BUCKET)
    for number, size in enumerate(sizes):
        bucket.blob(f"{folder}/file-{number:03}.bin").upload_from_string(
            hashlib.shake_128(b"%d" % number).digest(size)
        )


def one_by_one(folder: str, destination: Path) -> None:
    """What a loop over the client's own downloads does."""
    for blob in storage.Client(project=None).list_blobs(BUCKET, prefix=f"{folder}/"):
        target = destination / blob.name.removeprefix(f"{folder}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        blob.download_to_filename(str(target))


def parallel(folder: str, destination: Path) -> None:
    """What this project does."""
    download_folder(GcsPath(BUCKET, folder), destination)


def best_seconds(download: Callable[[str, Path], None], folder: str, expected_bytes: int) -> float:
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


def measure(name: str, folder: str, sizes: list[int]) -> dict[str, object]:
    """Both ways in turns, so that neither has the warmer machine."""
    fill(folder, sizes)
    seconds: dict[str, list[float]] = {"one_by_one": [], "parallel": []}
    for _ in range(ROUNDS):
        seconds["one_by_one"].append(best_seconds(one_by_one, folder, sum(sizes)))
        seconds["parallel"].append(best_seconds(parallel, folder, sum(sizes)))
    best = {way: min(all_rounds) for way, all_rounds in seconds.items()}
    return {
        "folder": name,
        "files": len(sizes),
        "bytes": sum(sizes),
        "seconds": {way: [round(each, 3) for each in all_rounds] for way, all_rounds in seconds.items()},
        "mb_per_s": {way: round(sum(sizes) / 1e6 / least, 1) for way, least in best.items()},
        "files_per_s": {way: round(len(sizes) / least, 1) for way, least in best.items()},
        "speedup": round(best["one_by_one"] / best["parallel"], 2),
    }


def main() -> None:
    """Measure, write the results, print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        emulator, address = start_emulator(Path(scratch) / "emulator.log")
        os.environ["STORAGE_EMULATOR_HOST"] = address
        try:
            rows = [measure(name, f"folder-{n}", sizes) for n, (name, sizes) in enumerate(FOLDERS.items())]
        finally:
            emulator.communicate(timeout=START_DEADLINE_S)
    packages = ("google-cloud-storage", "gcp-storage-emulator", "google-crc32c")
    report = {
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "versions": {package: version(package) for package in packages},
        "rounds": ROUNDS,
        "results": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    show(rows)


def show(rows: list[dict[str, object]]) -> None:
    table = Table(
        "folder", "way", "MB/s", "files/s", "times faster", title="Download from the storage emulator"
    )
    for row in rows:
        for way in ("one_by_one", "parallel"):
            speedup = str(row["speedup"]) if way == "parallel" else ""
            table.add_row(
                str(row["folder"]), way, str(row["mb_per_s"][way]), str(row["files_per_s"][way]), speedup
            )  # type: ignore[index]
    Console().print(table)


if __name__ == "__main__":
    main()
