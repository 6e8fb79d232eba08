"""How long `smoke-test` takes: MiniLM, in process, with the page and its load run.

    python -m benchmarks.smoke_test

Each run is the whole command, from its start to its end. Writes benchmarks/results/smoke_test.KIND.json and
smoke_test.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import COMMAND, clean_up_on_sigterm, package_minilm
from benchmarks.published import installed_versions, publish, table

TARGET_SECONDS = 25.0
TARGET_BYTES = 2_000_000


def run_once(folder: Path) -> dict[str, Any]:
    """Run the command; what it took, and what of it was what."""
    page = folder / "report.html"
    began = time.monotonic()
    answer = subprocess.run(
        [COMMAND, "smoke-test", str(folder / "model.mar"), "--instances", str(folder / "instances.json"),
         "--report", str(page), "--json"],
        stdout=subprocess.PIPE, check=True, timeout=600,
    )  # fmt: skip
    seconds = time.monotonic() - began
    report = json.loads(answer.stdout)
    checks = {check["name"]: check["seconds"] for check in report["checks"]}
    return {
        "seconds": round(seconds, 1),
        "ready": report["ready_seconds"],
        **{f"to ready: {phase['name']}": phase["seconds"] for phase in report["phases"]},
        "load run": round(sum(step["seconds"] for step in report["load"]), 1),
        "stop": checks["stopped"],
        "beside the server": round(seconds - report["seconds"], 1),
        "page_bytes": page.stat().st_size,
    }


def main() -> int:
    """Run it some times; 1 when it takes too long, or its page is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="default 5")
    runs = parser.parse_args().runs
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="smoke-test-") as scratch:
        folder = Path(scratch)
        package_minilm(folder)
        (folder / "instances.json").write_text('["a good movie", "a bad one"]')
        found = [run_once(folder) for _ in range(runs)]
    rows = [
        (name, f"{median(each[name] for each in found):g}", f"{max(each[name] for each in found):g}")
        for name in found[0]
    ]
    worst = max(each["seconds"] for each in found)
    text = (
        f"{table(('seconds', 'median', 'most'), rows, numbers=True)}\n\n"
        f"The whole command takes {worst:g} s at most; {TARGET_SECONDS:g} s are the target."
    )
    versions = {"this process": installed_versions(sys.executable)}
    publish("smoke_test", "How long a smoke test takes", {"runs": runs}, found, text, programs=versions)
    largest = max(each["page_bytes"] for each in found)
    return 0 if worst < TARGET_SECONDS and largest < TARGET_BYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
