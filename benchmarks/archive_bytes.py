"""How often the bytes of a model are read and written: packaging, and the whole component.

    python -m benchmarks.archive_bytes [--mb 1000]

Packaging beside `cp` and torch-model-archiver's zip-store, in turns, from page cache to page cache and, with
each file synchronized to the disk, where the disk is the limit. Then the component on the emulators, with its
gate: what it and its children read of files (testbed/bytes_read.py; what comes over a socket is not in it),
and how much they have on the disk at once. What they read of a model of 4 MB, nearly all of it programs, is
taken off. Writes benchmarks/results/archive_bytes.json and .md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.published import installed_versions, publish, table
from testbed.archives import ECHO_HANDLER
from testbed.bytes_read import bytes_read_by
from testbed.killed_component import run_component
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.emulator.storage.object_store import ObjectStore
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

MB = 1_000_000
ROUNDS = 5
COMPONENT_MB = 200
SMALL_MB = 4
POLL_SECONDS = 0.02
BLOCK = 4 * MB
ARCHIVER = Path(sys.executable).with_name("torch-model-archiver")


def write_model(folder: Path, megabytes: int) -> Path:
    """A model folder with weights that can't be compressed; returns the weights."""
    folder.mkdir()
    (folder / "handler.py").write_text(ECHO_HANDLER)
    weights = folder / "ckpt.pt"
    with weights.open("wb") as file:
        for _ in range(megabytes * MB // BLOCK):
            file.write(os.urandom(BLOCK))
    return weights


def packaging(scratch: Path, megabytes: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds of each way, to the page cache and to the disk."""
    model = scratch / "model"
    weights = write_model(model, megabytes)
    handler = scratch / "handler.py"
    (model / "handler.py").rename(handler)
    spec = ModelArchiveSpec(model, handler=str(handler))
    out = scratch / "out"
    ways: dict[str, Callable[[], object]] = {
        "cp": lambda: subprocess.run(["cp", weights, out / "copy"], check=True),
        "build_model_archive": lambda: build_model_archive(spec, out),
        "torch-model-archiver, zip-store": lambda: subprocess.run(
            [ARCHIVER, "--model-name", "stock", "--version", "1", "--serialized-file", weights, "--handler",
             handler, "--export-path", out, "--archive-format", "zip-store"],
            check=True, capture_output=True,
        ),
    }  # fmt: skip
    taken: dict[str, dict[str, list[float]]] = {
        place: {name: [] for name in ways} for place in ("cache", "disk")
    }
    for number in range(rounds):
        for place, seconds in taken.items():
            for name, way in ways.items():
                out.mkdir()
                began = time.perf_counter()
                way()
                if place == "disk":
                    subprocess.run(["sync", *out.iterdir()], check=True)
                seconds[name].append(time.perf_counter() - began)
                for file in out.iterdir():
                    file.unlink()
                out.rmdir()
        sys.stderr.write(f"round {number + 1} of {rounds}\n")
    return {place: {name: median(each) for name, each in ways.items()} for place, ways in taken.items()}


def component(scratch: Path) -> dict[str, float]:
    """How often the component reads its model, and how many of it are on the disk at once at most."""
    small, _ = component_bytes(scratch / "small", SMALL_MB)
    read, most = component_bytes(scratch / "large", COMPONENT_MB)
    return {
        "megabytes": COMPONENT_MB,
        "reads": (read - small) / ((COMPONENT_MB - SMALL_MB) * MB),
        "copies_on_disk": most / (COMPONENT_MB * MB),
    }


def component_bytes(scratch: Path, megabytes: int) -> tuple[int, int]:
    """What the component reads with a model of this size, and the most that it has on the disk, in bytes."""
    scratch.mkdir()
    weights = write_model(scratch / "trained", megabytes)
    work = scratch / "tmp"
    work.mkdir()
    with Emulator.start(buckets=["models"]) as emulator:
        store = ObjectStore(emulator.storage_host)
        store.write("models", "m/ckpt.pt", weights.read_bytes())
        weights.unlink()
        store.write("models", "m-extra/handler.py", ECHO_HANDLER.encode())
        store.write("models", "m-extra/instances.json", b"[1]")
        inputs = {
            "project_id": "my-project", "location": "us-central1", "gcs_model_path": "gs://models/m",
            "local_model_file": "ckpt.pt", "model_display_name": "m",
            "extra_files_staging_path": "gs://models/m-extra", "handler": "handler.py",
            "smoke_test_instances": "instances.json",
        }  # fmt: skip
        with most_used(work) as most:
            read = bytes_read_by(run_component, inputs, {**emulator.environment(), "TMPDIR": str(work)})
    return read, max(most)


@contextmanager
def most_used(folder: Path) -> Iterator[list[int]]:
    """What a folder takes of the disk, in bytes, at one moment after another until the block ends."""
    seen, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            seen.append(used(folder))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def used(folder: Path) -> int:
    """Bytes of the disk that what lies beneath a folder takes."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(f"{root}/{name}").st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def main() -> int:
    """Measure and publish; 1 when the component reads or keeps more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=1000, help="of weights (default 1000)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="archive-bytes-") as scratch:
        found: dict[str, Any] = {
            "packaging": packaging(Path(scratch), arguments.mb, arguments.rounds),
            "component": component(Path(scratch)),
        }
    cache, disk = found["packaging"]["cache"], found["packaging"]["disk"]
    rows = [
        (name, f"{cache[name]:.2f}", f"{cache[name] / cache['cp']:.2f}", f"{disk[name]:.2f}",
         f"{disk[name] / disk['cp']:.2f}")
        for name in cache
    ]  # fmt: skip
    seen = found["component"]
    columns = (f"{arguments.mb} MB of weights", "s, page cache", "x cp", "s, on the disk", "x cp")
    text = (
        f"{table(columns, rows, numbers=True)}\n\n"
        f"The component, a model of {COMPONENT_MB} MB, with its gate: it and its children read "
        f"{seen['reads']:.1f} times as much from files as the model has, and at most "
        f"{seen['copies_on_disk']:.1f} copies are on the disk at once. 4 and 2 are the most that is accepted "
        "(beside these reads a worker maps the weights)."
    )
    publish(
        "archive_bytes", "The bytes of an archive",
        {"mb": arguments.mb, "rounds": arguments.rounds}, found, text,
        trial=arguments.mb != 1000 or arguments.rounds < ROUNDS,
        programs={"this Python": installed_versions(sys.executable, ("torchserve", "google-cloud-storage"))},
    )  # fmt: skip
    return int(seen["reads"] > 4.5 or seen["copies_on_disk"] > 2.2)


if __name__ == "__main__":
    sys.exit(main())
