"""What the server itself costs: an echo of 1 kB and of 1 MB, ours and stock TorchServe's, in turns.

    apt-get install wrk
    python -m benchmarks.echo

Both in a process on this machine, the client (wrk) on the same cores, with the workers that each starts by
itself; no Docker. The handler answers each instance with itself. The medians of the rounds are compared; who
goes first changes from round to round. Writes benchmarks/results/echo.KIND.json and echo.md; ends with 1 when
a target was not reached.
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.client_load import LUA, run_wrk
from benchmarks.contenders import clean_up_on_sigterm
from benchmarks.hostile.servers import CONTENDERS
from benchmarks.published import installed_versions, publish, table
from testbed.archives import write_archive

HANDLER = "def handle(data, context):\n    return data\n"
START_SECONDS = 30.0
SMALL = b'{"instances": ["a"]}'
KB, MB = "1 kB", "1 MB"
SIZES = {KB: 1_000, MB: 1_000_000}
# Size, connections, and how many times stock's requests a second ours must answer.
LOADS = ((KB, 1, 1.0), (KB, 8, 1.5), (KB, 64, 3.0), (MB, 8, 1.2))
# The bytes of a file, whole; the result is told as texts.lua tells it.
SCRIPT = f"""\
dofile("{LUA}")
local body
function init(arguments)
  body = wrk.format("POST", "/predictions/model", {{["Content-Type"] = "application/json"}},
                    io.open(arguments[1]):read("*a"))
end
function request()
  return body
end
"""


def write_bodies(folder: Path) -> Path:
    """Write the bodies of the requests, and the script for wrk; returns the script."""
    for size, count in SIZES.items():
        (folder / size).write_text(json.dumps({"instances": ["x" * count]}))
    script = folder / "echo.lua"
    script.write_text(SCRIPT)
    return script


def measure(folder: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """A row for each round, load and contender."""
    store = write_archive(folder / "store", HANDLER).parent
    script = write_bodies(folder)
    rows: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        ports: dict[str, int] = {}
        for name, start in CONTENDERS.items():
            work = folder / name
            work.mkdir()
            server = stack.enter_context(start(store, SMALL, work))
            if not server.settles(START_SECONDS):
                raise SystemExit(f"{name} does not answer")
            ports[name] = server.port
            for size, connections, _ in LOADS:  # the JVM warm
                run_wrk(script, server.port, connections, max(2.0, seconds / 2), str(folder / size))
        for number in range(rounds):
            for size, connections, _ in LOADS:
                for name in list(ports)[:: 1 if number % 2 else -1]:
                    found = run_wrk(script, ports[name], connections, seconds, str(folder / size))
                    row = {"round": number + 1, "way": name, "size": size, "connections": connections}
                    row |= vars(found)
                    sys.stderr.write(f"{row}\n")
                    rows.append(row)
    return rows


def middle_of(rows: list[dict[str, Any]], size: str, connections: int, way: str, figure: str) -> float:
    """The median of a figure over the rounds."""
    of_load = [
        row for row in rows if (row["size"], row["connections"], row["way"]) == (size, connections, way)
    ]
    return float(median(row[figure] for row in of_load))


def report(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The table, and what was not reached."""
    lines, missed = [], []
    for size, connections, target in LOADS:
        middle = partial(middle_of, rows, size, connections)
        ours, stock = (middle(way, "requests_per_second") for way in ("ours", "stock"))
        times = ours / stock if stock else float("inf")
        if times < target:
            missed.append(f"{size} at {connections}: {times:.2f} times stock, not {target:g}")
        lines.append(
            (
                size, connections, f"{ours:.0f}", f"{stock:.0f}", f"{times:.2f} (at least {target:g})",
                *(f"{middle(way, 'p50_ms'):.1f} / {middle(way, 'p99_ms'):.1f}" for way in CONTENDERS),
            )
        )  # fmt: skip
    failed = {way: sum(row["failed"] for row in rows if row["way"] == way) for way in CONTENDERS}
    if failed["ours"]:
        missed.append(f"{failed['ours']} requests not answered with 200")
    columns = (
        "echo of", "connections", "ours, requests/s", "stock, requests/s", "ours / stock",
        "ours, p50 / p99 in ms", "stock, p50 / p99 in ms",
    )  # fmt: skip
    told = ", ".join(f"{way} {count}" for way, count in failed.items())
    text = f"{table(columns, lines, numbers=True)}\n\nNot answered with 200, which count for nothing: {told}."
    return text, missed


def main() -> int:
    """Measure and publish; 1 when a target was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (default 5)")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("there is no wrk; apt-get install wrk")
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="echo-") as scratch:
        rows = measure(Path(scratch), arguments.rounds, arguments.seconds)
    text, missed = report(rows)
    publish(
        "echo", "An echo: what the server itself costs",
        {"rounds": arguments.rounds, "seconds": arguments.seconds, "client": "wrk, 1 thread"}, rows, text,
        trial=arguments.rounds < 3, programs={"both": installed_versions(sys.executable)},
    )  # fmt: skip
    for failure in missed:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
