"""Which serving images keep Vertex AI's contract: every check of `conformance`, on four servers.

    python -m benchmarks.conformance

Our image and stock TorchServe's serve the same archive in containers; its model answers with what it is
asked. huggingface-inference-toolkit serves MiniLM, and the plain FastAPI server counts characters, as
processes with the variables that Vertex AI sets: the checks that need a container are not run on these.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import HTTP_PORT, MINILM, OURS, ROOT, STOCK, prepare
from benchmarks.contenders import Contender as ContainerContender
from benchmarks.peer_servers import HF_TOOLKIT, TOOLKIT_SOURCE, Environment
from benchmarks.published import Versions, publish, table
from testbed.conformance.process_launcher import ProcessLauncher
from vertex_torchserve.conformance.container import ARTIFACT_FOLDER, ContainerLauncher
from vertex_torchserve.conformance.echo_archive import ECHO_REQUEST, write_echo_archive
from vertex_torchserve.conformance.report import ConformanceReport
from vertex_torchserve.conformance.run import run_conformance
from vertex_torchserve.conformance.server import (
    DEFAULT_HEALTH_ROUTE,
    DEFAULT_PREDICT_ROUTE,
    Conditions,
    Launcher,
)
from vertex_torchserve.conformance.verdict import Result
from vertex_torchserve.docker import inspect_image
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of

FASTAPI = Environment("fastapi", "0.165.0", "fastapi", ("uvicorn",))
SHOWN_CHARACTERS = 140


@dataclass(frozen=True)
class Contender:
    """A server, and the routes that its model names.

    Attributes:
        name: Shown.
        launcher: Starts it.
        health_route: Of its model.
        predict_route: Of its model.
        note: How it is started, in words.
    """

    name: str
    launcher: Launcher
    note: str
    health_route: str = DEFAULT_HEALTH_ROUTE
    predict_route: str = DEFAULT_PREDICT_ROUTE

    def check(self) -> ConformanceReport:
        """Make every check."""
        conditions = Conditions(self.launcher.ports[0], self.health_route, self.predict_route)
        return run_conformance(
            self.name,
            self.launcher,
            ECHO_REQUEST,
            conditions,
            progress=lambda check: print(f"{self.name}: {check.name}", file=sys.stderr),
        )


def ours(archive: Path) -> Contender:
    """Our CPU image."""
    return Contender(OURS.name, ContainerLauncher(OURS.image, HTTP_PORT, archive, {}), OURS.image)


def stock(archive: Path) -> Contender:
    """TorchServe as its documents have it started; port and routes are its own."""
    environment = {"TS_MODEL_STORE": ARTIFACT_FOLDER}
    return Contender(
        "stock TorchServe",
        ContainerLauncher(STOCK.image, HTTP_PORT, archive, environment),
        "benchmarks/stock/Dockerfile",
        HEALTH_ROUTE,
        predict_route_of("model"),
    )


def fastapi(venvs: Path) -> Contender:
    """benchmarks/peers/fastapi/server.py under uvicorn."""
    folder = ROOT / "benchmarks" / "peers" / "fastapi"
    launcher = ProcessLauncher(
        lambda conditions: _uvicorn(venvs / FASTAPI.name, "server:app", conditions, "--app-dir", str(folder)),
        {},
    )
    return Contender("FastAPI", launcher, "benchmarks/peers/fastapi/server.py, `uvicorn`")


def toolkit(venvs: Path) -> Contender:
    """huggingface-inference-toolkit, as its entrypoint starts it."""
    launcher = ProcessLauncher(
        lambda conditions: _uvicorn(
            venvs / HF_TOOLKIT.name, "huggingface_inference_toolkit.webservice_starlette:app", conditions
        ),
        {"HF_TASK": "sentence-embeddings", "HF_MODEL_DIR": str(MINILM), "HF_HUB_OFFLINE": "1"},
    )
    return Contender(
        HF_TOOLKIT.name, launcher, "HF_TASK=sentence-embeddings, MiniLM, as its entrypoint starts it"
    )


def _uvicorn(venv: Path, app: str, conditions: Conditions, *options: str) -> Sequence[str | Path]:
    every_address = "0.0.0.0"  # noqa: S104 (as the contract asks)
    port = str(conditions.port)
    return [venv / "bin" / "uvicorn", app, "--host", every_address, "--port", port, *options]


def _image(contender: ContainerContender) -> Versions:
    return {"image": contender.image, "id": inspect_image(contender.image)["Id"][:19]}


def report(found: dict[str, ConformanceReport]) -> str:
    """The table, what failed with its evidence, and the sums."""
    first = next(iter(found.values()))
    rows = []
    for index, verdict in enumerate(first.verdicts):
        results = [each.verdicts[index].result for each in found.values()]
        shown = [f"**{result}**" if result is Result.FAILED else result for result in results]
        rows.append((f"`{verdict.check}`", verdict.severity, *shown))
    sums = [
        f"- {name}: {each.summary()}; the contract is {'kept' if each.ok else 'broken'}"
        for name, each in found.items()
    ]
    failures = [
        f"- {name}, `{verdict.check}` ({verdict.severity}): {verdict.evidence[:SHOWN_CHARACTERS]}"
        for name, each in found.items()
        for verdict in each.failed
    ]
    return "\n\n".join(
        [
            "What each check asks for: [docs/conformance.md](../../docs/conformance.md).",
            table(("check", "", *found), rows),
            "\n".join(sums),
            "What failed, and what was seen:",
            "\n".join(failures),
        ]
    )


def main() -> int:
    """Check them; 1 when ours breaks the contract."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "peers", help="default build/peers")
    parser.add_argument("--toolkit-source", default=TOOLKIT_SOURCE, help=f"for pip; default {TOOLKIT_SOURCE}")
    parser.add_argument("--jobs", type=int, default=2, help="servers at a time (default 2)")
    arguments = parser.parse_args()
    venvs = arguments.venvs.resolve()
    prepare()
    for environment in (FASTAPI, HF_TOOLKIT):
        environment.prepare(venvs, arguments.toolkit_source)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        archive = write_echo_archive(scratch)
        contenders = [ours(archive), stock(archive), fastapi(venvs), toolkit(venvs)]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            reports = pool.map(Contender.check, contenders)
            found = {each.name: report for each, report in zip(contenders, reports, strict=True)}
    programs = {
        OURS.name: _image(OURS),
        "stock TorchServe": _image(STOCK),
        FASTAPI.name: FASTAPI.versions(venvs),
        HF_TOOLKIT.name: HF_TOOLKIT.versions(venvs),
    }
    settings: dict[str, Any] = {each.name: each.note for each in contenders}
    results = {name: each.as_json() for name, each in found.items()}
    publish(
        "conformance", "Who keeps Vertex AI's contract", settings, results, report(found), programs=programs
    )
    if not found[OURS.name].ok:
        sys.stderr.write("NOT REACHED: ours breaks the contract\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
