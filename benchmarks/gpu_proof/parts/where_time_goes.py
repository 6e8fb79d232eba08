"""What the server's processes do while the most clients ask: their CPU time, and samples of the worker."""

import contextlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.contenders import MINILM
from benchmarks.footprint import named_processes
from benchmarks.gpu_proof.finding import Finding, Row, Rows
from benchmarks.gpu_proof.load_client import run_load
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import ROUTE, packaged, served

# py-spy writes a stack as `function (file:line);function (file:line) count`, the innermost last.
FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^:]+):\d+\)")
OURS = ("hf_handler/", "vertex_torchserve/")
SAMPLES_A_SECOND = 200
SHOWN = 25
END_SECONDS = 30.0
Threads = dict[tuple[str, int], float]


def run(scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Ask for one text a request, and look on."""
    with served(packaged(MINILM, scratch / "store")) as (server, port):
        processes = dict(named_processes(psutil.Process(server.pid)))
        clients = scale.clients[-1]
        run_load(port, ROUTE, {}, 1, clients, scale.seconds)
        before = _cpu_seconds(processes)
        step = run_load(port, ROUTE, {}, 1, clients, scale.seconds)
        after = _cpu_seconds(processes)
        rows.extend(_process_rows(processes, before, after, step.seconds))
        samples = scratch / "samples"
        with _sampled(processes["worker 1"].pid, samples, scale.seconds):
            run_load(port, ROUTE, {}, 1, clients, scale.seconds)
        rows.extend(_sample_rows(samples.read_text()))
    said = f"{step.requests_per_second:.0f} requests a second of {clients} clients, one text each"
    return Finding("right", said, rows)


def _cpu_seconds(processes: dict[str, psutil.Process]) -> Threads:
    """CPU time that each thread has used, by its process's name and its own id."""
    return {
        (name, thread.id): thread.user_time + thread.system_time
        for name, process in processes.items()
        for thread in process.threads()
    }


def _process_rows(
    processes: dict[str, psutil.Process], before: Threads, after: Threads, seconds: float
) -> Iterator[Row]:
    for name in processes:
        used = [after[each] - before.get(each, 0.0) for each in after if each[0] == name]
        yield {
            "process": name, "cores": round(sum(used) / seconds, 2),
            "its busiest thread": round(max(used) / seconds, 2),
        }  # fmt: skip


@contextlib.contextmanager
def _sampled(pid: int, file: Path, seconds: float) -> Iterator[None]:
    """Sample a process while the block lasts; threads that wait are left out.

    Raises:
        RuntimeError: When the sampler failed.
    """
    program = Path(sys.executable).with_name("py-spy")
    command = [
        str(program), "record", "--pid", str(pid), "--duration", str(max(1, round(seconds))),
        "--nonblocking", "--rate", str(SAMPLES_A_SECOND), "--format", "raw", "--output", str(file),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield
    said, _ = process.communicate(timeout=END_SECONDS)
    if process.returncode or not file.is_file():
        raise RuntimeError(f"py-spy ended with {process.returncode}: {said[-500:]}")


def _sample_rows(samples: str) -> list[Row]:
    """The share of samples of each innermost function of ours, with the innermost function that it called."""
    counted: Counter[tuple[str, str]] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [found for found in map(FRAME.fullmatch, stack.split(";")) if found]
        ours = [frame for frame in frames if any(place in frame["file"] for place in OURS)]
        counted[_named(ours or frames), _named(frames)] += int(count)
    total = sum(counted.values()) or 1
    return [
        {"share of samples": round(count / total, 3), "in": place, "which ran": ran}
        for (place, ran), count in counted.most_common(SHOWN)
    ]


def _named(frames: list[re.Match[str]]) -> str:
    """The innermost one, with the last two names of its file's path."""
    if not frames:
        return "unknown"
    return f"{'/'.join(Path(frames[-1]['file']).parts[-2:])}: {frames[-1]['function']}"
