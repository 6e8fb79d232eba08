"""A gigabyte to the emulator's Cloud Storage, two back, beside curl and a plain file server.

    python -m benchmarks.emulator_bytes

Three ways in turns, in each round: curl to a server that writes the body to a file and answers when the disk
has it (as the emulator does), curl to the emulator in one request, this package's `upload_file` to it; and
back: curl from that server, curl from the emulator, `download_file` from it. The best of each is compared.
Writes benchmarks/results/emulator_bytes.json and emulator_bytes.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.published import installed_versions, publish, table
from testbed.killed_storage import BUCKET, ours
from vertex_torchserve.gcs import GcsPath, download_file, upload_file
from vertex_torchserve.serving.ports import free_ports

UP_BYTES, DOWN_BYTES = 1_000_000_000, 2_000_000_000
ROUNDS = 3
START_SECONDS = 120.0
PACKAGES = ("google-cloud-storage", "gcp-storage-emulator", "google-crc32c")
UPLOADS = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name="
Row = dict[str, Any]


def curl(*arguments: str) -> None:
    """Run curl, which must succeed."""
    subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", *arguments], check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """The address of a plain file server."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plain_files", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        port = process.stdout.readline() if process.stdout else ""
        yield f"http://127.0.0.1:{int(port)}"
        process.communicate()


@contextmanager
def emulator(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of an emulator's Cloud Storage, to which this process's client talks, and its process id.

    Raises:
        SystemExit: It doesn't start.
    """
    (port,) = free_ports(1)
    arguments, _ = ours(folder, port)
    url = os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{port}"
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{url}/storage/v1/b/{BUCKET}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the emulator doesn't start")
            time.sleep(0.1)
        policy = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        httpx.patch(f"{url}/storage/v1/b/{BUCKET}", json=policy, trust_env=False).raise_for_status()
        yield url, process.pid
        process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def measured(
    ways: dict[str, Callable[[], None]], rounds: int, clear: Callable[[], None]
) -> dict[str, list[float]]:
    """The seconds of each way in each round; `clear` removes what one has written before the next begins."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            begun = time.perf_counter()
            run()
            seconds[way].append(round(time.perf_counter() - begun, 2))
            sys.stderr.write(f"{way}: {seconds[way][-1]} s\n")
            clear()
    return seconds


def compared(direction: str, size: int, seconds: dict[str, list[float]]) -> list[Row]:
    """A row for each way; the first is what the others are compared with."""
    first = min(next(iter(seconds.values())))
    return [
        {
            "direction": direction,
            "bytes": size,
            "way": way,
            "seconds": taken,
            "mb_per_s": round(size / 1e6 / min(taken)),
            "of_curl": round(first / min(taken), 2),
        }
        for way, taken in seconds.items()
    ]


def run(work: Path, up: int, down: int, rounds: int) -> tuple[list[Row], float]:
    """Measure both directions; the rows, and the most memory that the emulator had, in MiB."""
    plain, back = work / "plain", work / "back"
    plain.mkdir()
    with plain_server(plain) as files, emulator(work / "data") as (url, process):
        for name, size in (("up", up), ("down", down)):
            _fill(plain / name, size)
        curl("-X", "POST", "-T", str(plain / "down"), f"{url}{UPLOADS}down")
        objects = f"{url}/storage/v1/b/{BUCKET}/o"

        def clear() -> None:
            (plain / "received").unlink(missing_ok=True)
            back.unlink(missing_ok=True)
            httpx.delete(f"{objects}/up", trust_env=False)

        ways_up: dict[str, Callable[[], None]] = {
            "curl, plain server": lambda: curl("-T", str(plain / "up"), f"{files}/received"),
            "curl, emulator": lambda: curl("-X", "POST", "-T", str(plain / "up"), f"{url}{UPLOADS}up"),
            "upload_file, emulator": lambda: _discard(upload_file(plain / "up", GcsPath(BUCKET, "up"))),
        }
        ways_down: dict[str, Callable[[], None]] = {
            "curl, plain server": lambda: curl("-o", str(back), f"{files}/down"),
            "curl, emulator": lambda: curl("-o", str(back), f"{objects}/down?alt=media"),
            "download_file, emulator": lambda: _discard(download_file(GcsPath(BUCKET, "down"), back)),
        }
        rows = compared("up", up, measured(ways_up, rounds, clear))
        rows += compared("down", down, measured(ways_down, rounds, clear))
        return rows, _most_mib(process)


def _fill(path: Path, size: int) -> None:
    block = os.urandom(20_000_000)
    with path.open("wb") as file:
        for begin in range(0, size, len(block)):
            file.write(block[: size - begin])
        os.fsync(file.fileno())


def _discard(_: object) -> None:
    """Nothing: a way returns nothing."""


def _most_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024)


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds (default 3)")
    parser.add_argument("--quick", action="store_true", help="one round of 20 and 40 MB, not published")
    arguments = parser.parse_args()
    up, down, rounds = (
        (UP_BYTES // 50, DOWN_BYTES // 50, 1) if arguments.quick else (UP_BYTES, DOWN_BYTES, arguments.rounds)
    )
    with tempfile.TemporaryDirectory(prefix="emulator-bytes-") as work:
        rows, most_mib = run(Path(work), up, down, rounds)
    columns = ("direction", "way", "mb_per_s", "of_curl", "seconds")
    shown = [
        [", ".join(map(str, row[column])) if column == "seconds" else row[column] for column in columns]
        for row in rows
    ]
    text = (
        "One large file, over loopback. The plain server writes the body to a file and answers when the disk "
        "has it, as the emulator does; it makes no checksum, the emulator makes CRC32C and MD5. `of curl`: "
        "the speed in parts of curl's with the plain server, best round against best round. "
        f"The emulator's process had at most {most_mib} MiB of memory.\n\n"
    )
    publish(
        "emulator_bytes", "Large objects to and from the emulator's Cloud Storage",
        {"up_bytes": up, "down_bytes": down, "rounds": rounds}, {"rows": rows, "most_mib": most_mib},
        text + table([column.replace("_", " ") for column in columns], shown), trial=arguments.quick,
        programs={"both": installed_versions(sys.executable, PACKAGES)},
    )  # fmt: skip


if __name__ == "__main__":
    main()
