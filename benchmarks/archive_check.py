"""`vertex-torchserve check` on archives of a gigabyte: how long it takes, and how much memory.

    python -m benchmarks.archive_check

Each archive holds weights of a gigabyte: as `package` writes it, as torch-model-archiver writes it
(deflated), and as a model folder; of each a state dict that torch saved, one whose pickle names a class, and
safetensors. Measured is the whole command, with the start of Python, in a process of its own: seconds, its
largest memory, and the bytes that it left in TMPDIR. Writes benchmarks/results/archive_check.KIND.json and
.md.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.published import installed_versions, publish, table
from testbed.archives import ECHO_HANDLER

COMMAND = Path(sys.executable).with_name("vertex-torchserve")
BYTES = 1_000_000_000
QUICK_BYTES = 20_000_000
MOST_SECONDS = 2.0
MOST_BYTES = 300_000_000
ROUNDS = 3
PACKAGES = ("torch",)
_BLOCK = os.urandom(1 << 20)
_STATE = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01."
_MODULE = b"\x80\x02ctorch.nn.modules.linear\nLinear\nq\x00)\x81q\x01."
Write = Callable[[Path, int], None]


def _numbers(file: Any, size: int) -> None:
    """Bytes that hardly shrink, as weights."""
    while size > 0:
        file.write(_BLOCK[:size])
        size -= len(_BLOCK)


def saved_by_torch(pickle: bytes) -> Write:
    """A file with the layout that `torch.save` gives it."""

    def write(path: Path, size: int) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", pickle)
            with archive.open("model/data/0", "w", force_zip64=True) as file:
                _numbers(file, size)
            archive.writestr("model/version", "3\n")

    return write


def safetensors(path: Path, size: int) -> None:
    """One tensor."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        _numbers(file, size)


WEIGHTS: Mapping[str, tuple[str, Write]] = {
    "state dict": ("w.pth", saved_by_torch(_STATE)),
    "pickle that names a class": ("w.pth", saved_by_torch(_MODULE)),
    "safetensors": ("w.safetensors", safetensors),
}


def packed(weights: Path, target: Path, compression: int) -> None:
    """An archive of the weights and a handler."""
    model = {"modelName": "model", "handler": "handler.py", "serializedFile": weights.name}
    with zipfile.ZipFile(target, "w", compression, compresslevel=1) as archive:
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": model}))
        archive.writestr("handler.py", ECHO_HANDLER)
        archive.write(weights, weights.name)


def measured(path: Path, empty: Path) -> dict[str, float]:
    """One run of the command.

    Args:
        path: What is checked.
        empty: A folder for its temporary files.
    """
    environment = {**os.environ, "TMPDIR": str(empty)}
    begin = time.perf_counter()
    process = subprocess.Popen([COMMAND, "check", path, "--json"], env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == 2:
        raise SystemExit(f"{path} can't be read")
    left = sum(file.stat().st_size for file in empty.rglob("*") if file.is_file())
    return {"seconds": seconds, "largest_memory_bytes": usage.ru_maxrss * 1024, "left_bytes": left}


def trials(work: Path, size: int) -> list[dict[str, Any]]:
    """Every kind of weights in every kind of archive, the best of a few runs."""
    empty = work / "tmp"
    empty.mkdir()
    rows = []
    for kind, (name, write) in WEIGHTS.items():
        folder = work / "model"
        folder.mkdir()
        write(folder / name, size)
        packed(folder / name, work / "stored.mar", zipfile.ZIP_STORED)
        packed(folder / name, work / "deflated.mar", zipfile.ZIP_DEFLATED)
        for what, path in {
            "stored .mar": "stored.mar",
            "deflated .mar": "deflated.mar",
            "folder": "model",
        }.items():
            runs = [measured(work / path, empty) for _ in range(ROUNDS)]
            best = min(runs, key=lambda run: run["seconds"])
            largest = max(run["largest_memory_bytes"] for run in runs)
            rows.append({"weights": kind, "archive": what, **best, "largest_memory_bytes": largest})
        (folder / name).unlink()
        folder.rmdir()
    return rows


def main() -> int:
    """Publish the figures; 1 when one is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small archives, for a look at the program")
    quick = parser.parse_args().quick
    size = QUICK_BYTES if quick else BYTES
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        rows = trials(Path(work), size)
    cells = [
        (
            f"{row['weights']}, {row['archive']}",
            f"{row['seconds']:.2f} s",
            f"{row['largest_memory_bytes'] / 1e6:.0f} MB",
            f"{row['left_bytes']}",
        )
        for row in rows
    ]
    text = (
        f"{table(('', 'time', 'largest memory', 'bytes left in TMPDIR'), cells, numbers=True)}\n\n"
        f"The whole command, with the start of Python; best time and largest memory of {ROUNDS} runs. The "
        f"limits are {MOST_SECONDS:g} s beyond reading the archive's directory and {MOST_BYTES / 1e6:g} MB."
    )
    settings = {"bytes": size, "rounds": ROUNDS}
    programs = {"vertex-torchserve": installed_versions(sys.executable, PACKAGES)}
    publish(
        "archive_check",
        "Checking an archive of a gigabyte",
        settings,
        rows,
        text,
        trial=quick,
        programs=programs,
    )
    over = [
        row
        for row in rows
        if row["seconds"] > MOST_SECONDS or row["largest_memory_bytes"] > MOST_BYTES or row["left_bytes"]
    ]
    for row in over:
        sys.stderr.write(f"NOT REACHED: {row}\n")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
