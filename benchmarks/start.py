"""From `docker run` to the first right prediction: our image and stock TorchServe, in turns.

    python -m benchmarks.start

all-MiniLM-L6-v2 as it is, and with `sentence-transformers` in the archive's requirements: what is installed,
how much is written in the container, and which torch the worker has loaded. Takes some five minutes; stock
downloads several GB then, and needs 10 GB of docker's disk until its container is removed. Containers reach
the package index over docker's default network. Writes benchmarks/results/start.KIND.json and start.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.client_load import LEAST_COSINE, cosine
from benchmarks.contenders import (
    CONTENDERS,
    HTTP_PORT,
    OURS,
    POLL_SECONDS,
    Contender,
    ask,
    package_minilm,
    prepare,
)
from benchmarks.model_alone import ModelAlone, text
from benchmarks.published import publish, table
from vertex_torchserve.docker import Container, client

REQUIREMENT = "sentence-transformers"
START_SECONDS = 180.0
REQUIREMENTS_SECONDS = 900.0
# The number that this project set itself: with the requirement, ours takes at most this part of stock's time.
PART_OF_STOCK = 0.25
BODY = json.dumps({"instances": [text(0)]}).encode()
# The version of the torch whose library a process has mapped, whatever else is installed.
LOADED_TORCH = """\
import re
import sys
from pathlib import Path

mapped = re.search(r"(/\\S+/torch)/lib/libtorch_cpu\\.so", Path(f"/proc/{sys.argv[1]}/maps").read_text())
print(re.search(r"__version__ = '(.*)'", Path(mapped[1], "version.py").read_text())[1])
"""


def start(contender: Contender, store: Path, right: list[float], limit: float) -> dict[str, Any]:
    """Start a container, ask until the right prediction comes, see what it wrote.

    Returns:
        Seconds from before `docker run` to the first answer of any status (`port`), the first 200 of `/ping`
        (`ping`) and the first prediction; megabytes written; the worker's torch.
    """
    started = time.monotonic()
    with contender.start(store) as container:
        port = container.published_port(HTTP_PORT)
        times: dict[str, float] = {}
        while not {"ping", "prediction"} <= times.keys():
            if time.monotonic() > started + limit or container.state().status != "running":
                sys.stderr.write(container.logs()[-4000:])
                raise SystemExit(f"{contender.name} did not answer within {limit:g} s: {container.state()}")
            # Stock says 200 at once and keeps the prediction's request until its worker has loaded the model.
            for name, path, body in (("ping", "/ping", None), ("prediction", "/predictions/model", BODY)):
                answer = ask(port, path, body, seconds=limit)
                if answer.status:
                    times.setdefault("port", time.monotonic() - started)
                if answer.status == 200:
                    times.setdefault(name, time.monotonic() - started)
            time.sleep(POLL_SECONDS)
        vector = json.loads(answer.body)["predictions"][0]
        if cosine(vector, right) < LEAST_COSINE:
            raise SystemExit(f"{contender.name} answers something else: cosine {cosine(vector, right)}")
        return {
            "contender": contender.name,
            "seconds": {name: round(seconds, 2) for name, seconds in times.items()},
            "written_mb": round(written_bytes(container) / 1e6, 1),
            "image_torch": container.execute(
                "python", "-c", "from importlib.metadata import version; print(version('torch'))"
            ).strip(),
            "worker_torch": loaded_torch(container),
        }


def written_bytes(container: Container) -> int:
    """What was written in the container's own layer, as `docker ps --size` has it."""
    answer = subprocess.run(
        [client(), "container", "inspect", "--size", "--format", "{{.SizeRw}}", container.id],
        stdout=subprocess.PIPE, text=True, check=True, timeout=300,
    )  # fmt: skip
    return int(answer.stdout)


def loaded_torch(container: Container) -> str:
    """The version of torch in the first worker."""
    worker = container.execute("pgrep", "-f", "model_service_worker").split()[0]
    return container.execute("python", "-c", LOADED_TORCH, worker).strip()


def run_all(plain: Path, required: Path | None, starts: int, right: list[float]) -> list[dict[str, Any]]:
    """Rows in the order they were measured, the two in turns."""
    jobs = [(plain, "as it is", START_SECONDS)] * starts
    if required:
        jobs.append((required, REQUIREMENT, REQUIREMENTS_SECONDS))
    runs = [(contender, *job) for job in jobs for contender in CONTENDERS]
    rows: list[dict[str, Any]] = []
    for contender, store, requirements, limit in runs:
        sys.stderr.write(
            f"start {len(rows) + 1} of {len(runs)}: {contender.name}, {requirements}, at most {limit:g} s\n"
        )
        row = {"requirements": requirements, **start(contender, store, right, limit)}
        sys.stderr.write(f"{row}\n")
        rows.append(row)
    return rows


def median(rows: list[dict[str, Any]], requirements: str, name: str, phase: str) -> float:
    """Seconds to a phase."""
    found: list[float] = [
        row["seconds"][phase]
        for row in rows
        if (row["requirements"], row["contender"]) == (requirements, name)
    ]
    return statistics.median(found)


def targets(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, bool]]:
    """What is wanted, what was found, and whether that is it."""
    found = []
    for requirements in dict.fromkeys(row["requirements"] for row in rows):
        ours, stock = (median(rows, requirements, who.name, "prediction") for who in CONTENDERS)
        most = PART_OF_STOCK if requirements == REQUIREMENT else 1.0
        part = ours / stock
        found.append(
            (f"ours, {requirements}: part of stock's time", f"at most {most:g}", f"{part:.2f}", part <= most)
        )
    changed = {
        f"{row['image_torch']} became {row['worker_torch']}"
        for row in rows
        if row["contender"] == OURS.name and row["worker_torch"] != row["image_torch"]
    }
    said = ", ".join(sorted(changed)) or "unchanged"
    return [*found, ("ours: the torch of the worker", "the image's, unchanged", said, not changed)]


def report(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The tables, and what was not reached."""
    lines = []
    for requirements in dict.fromkeys(row["requirements"] for row in rows):
        for contender in CONTENDERS:
            of_both = [row for row in rows if row["requirements"] == requirements]
            of_one = [row for row in of_both if row["contender"] == contender.name]
            lines.append(
                (
                    f"{contender.name}, {requirements}", len(of_one),
                    *(
                        f"{median(rows, requirements, contender.name, phase):.1f}"
                        for phase in ("port", "ping", "prediction")
                    ),
                    f"{max(row['seconds']['prediction'] for row in of_one):.1f}",
                    f"{max(row['written_mb'] for row in of_one):.0f}",
                    of_one[0]["image_torch"], of_one[0]["worker_torch"],
                )
            )  # fmt: skip
    columns = (
        "", "starts", "port, s", "`/ping` 200, s", "prediction, s", "slowest, s", "written, MB",
        "torch of the image", "torch of the worker",
    )  # fmt: skip
    wanted = targets(rows)
    aims = [(what, aim, found if reached else f"{found}: **missed**") for what, aim, found, reached in wanted]
    text = (
        "Seconds from `docker run` on, medians: to the first answer of any kind, to the first 200 of "
        f"`/ping`, to the first right prediction.\n\n{table(columns, lines, numbers=True)}\n\n"
        f"{table(('', 'target', 'found'), aims)}"
    )
    failures = [f"{what}: {found}; wanted: {aim}" for what, aim, found, reached in wanted if not reached]
    return text, failures


def main() -> int:
    """Measure and publish; 1 when a target was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=5, help="of each, as it is (default 5)")
    parser.add_argument(
        "--requirements", action=argparse.BooleanOptionalAction, default=True,
        help="also start once with sentence-transformers in the requirements",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="one start of each, no requirements")
    arguments = parser.parse_args()
    starts = 1 if arguments.quick else arguments.starts
    trial = arguments.quick or not arguments.requirements
    prepare()
    with tempfile.TemporaryDirectory(prefix="start-") as scratch, ModelAlone(2) as alone:
        Path(scratch).chmod(0o755)
        (right,) = alone.vectors([text(0)])
        plain, required = Path(scratch) / "plain", None
        package_minilm(plain)
        if arguments.requirements and not arguments.quick:
            required = Path(scratch) / "required"
            file = Path(scratch) / "requirements.txt"
            file.write_text(f"{REQUIREMENT}\n")
            package_minilm(required, "--requirements-file", str(file))
        rows = run_all(plain, required, starts, right)
    table_text, failures = report(rows)
    settings = {"starts": starts, "requirements": required is not None, "quick": arguments.quick}
    title = "From docker run to the first right prediction: all-MiniLM-L6-v2"
    publish("start", title, settings, rows, table_text, trial=trial)
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
