"""A part in a process of its own, which is ended at its deadline with everything that it started."""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.gpu_proof.finding import Finding, Row, Rows

_LAST_LINES = 15


def found_by(module: str, rows: Path, *, short: bool) -> Finding:
    """Run a part in this process.

    Args:
        module: The part's.
        rows: Gets each row as soon as it is found.
        short: Measure little.
    """
    part = importlib.import_module(module)
    from benchmarks.gpu_proof.scale import scale_here

    with tempfile.TemporaryDirectory(prefix="gpu-proof-") as scratch:
        finding: Finding = part.run(scale_here(short=short), Path(scratch), Rows(rows))
    return finding


def found_in_own_process(module: str, seconds: float, *, short: bool) -> Finding:
    """Run a part in another process.

    Args:
        module: The part's.
        seconds: Its deadline.
        short: Measure little.

    Returns:
        What it found; that it failed, or was out of time, with the end of what it wrote.
    """
    with tempfile.TemporaryDirectory(prefix="gpu-proof-", ignore_cleanup_errors=True) as folder:
        result, rows, log = (Path(folder, each) for each in ("finding.json", "rows", "log"))
        command = [sys.executable, "-m", "benchmarks.gpu_proof", "--be", module, str(result), str(rows)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *(["--short"] if short else [])], cwd=ROOT, start_new_session=True,
                # What a part leaves behind when it is killed goes with this folder.
                env={**os.environ, "TMPDIR": folder}, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return Finding("out of time", f"ended after {seconds:.0f} s; {_end_of(log)}", _read(rows))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code != 0 or not result.is_file():
            return Finding("failed", f"exit code {code}; {_end_of(log)}", _read(rows))
        return Finding(**json.loads(result.read_text()))


def _read(rows: Path) -> list[Row]:
    """What a part found before it ended; its last line may be half written."""
    lines = rows.read_text(encoding="utf-8").splitlines() if rows.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-_LAST_LINES:]
    return "it wrote: " + ("\n".join(lines) or "nothing")
