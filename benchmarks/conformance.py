"""Which serving images keep Vertex AI's contract: every check of `conformance`, on four servers.

    python -m benchmarks.conformance

Ours and stock TorchServe serve the same archive, whose model answers with what it is asked;
huggingface-inference-toolkit serves MiniLM; the plain FastAPI server counts characters. Each runs as a
process, with the variables that Vertex AI sets; with `--image IMAGE` ours also in containers, which adds the
checks that need one.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import MINILM, ROOT
from benchmarks.peer_servers import HF_TOOLKIT, TOOLKIT_SOURCE, Environment
from benchmarks.published import Versions, installed_versions, publish, table
from testbed.conformance.process_launcher import ProcessLauncher
from vertex_torchserve.conformance.container import ContainerLauncher
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
from vertex_torchserve.resource_rules.container_routes import HEALTH_ROUTE, predict_route_of
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving.torchserve.java_runtime import java_executable

FASTAPI = Environment("fastapi", "0.165.0", "fastapi", ("uvicorn",))
OURS = "ours"
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
    """What our images run, in this Python."""
    management, metrics = free_ports(2)
    launcher = ProcessLauncher(
        lambda _: [sys.executable, "-m", "vertex_torchserve.serving.entrypoint"],
        {
            "VTS_HTTP_HOST": "0.0.0.0",  # noqa: S104 (as in the images)
            "VTS_MANAGEMENT_PORT": str(management),
            "VTS_METRICS_PORT": str(metrics),
        },
        storage_uri=str(archive.parent),
    )
    return Contender(OURS, launcher, "`vertex_torchserve.serving.entrypoint`, as in the images")


def stock(archive: Path, scratch: Path) -> Contender:
    """TorchServe as its documents have it started; port and routes are its configuration's."""
    management, metrics, grpc_inference, grpc_management = free_ports(4)
    configuration, torchserve = scratch / "config.properties", Path(sys.executable).with_name("torchserve")
    folders = dict.fromkeys(("TEMP", "LOG_LOCATION", "METRICS_LOCATION"), str(scratch))
    launcher = ProcessLauncher(
        lambda _: [
            torchserve, "--start", "--foreground", "--disable-token-auth",
            "--ts-config", configuration, "--models", f"model={archive.name}",
        ],
        {"JAVA_HOME": str(java_executable().parents[1]), **folders},
    )  # fmt: skip
    lines = (ROOT / "benchmarks" / "stock" / "config.properties").read_text().splitlines()
    own = {
        "inference_address": f"http://0.0.0.0:{launcher.ports[0]}",
        "management_address": f"http://127.0.0.1:{management}",
        "metrics_address": f"http://127.0.0.1:{metrics}",
        "grpc_inference_port": grpc_inference,
        "grpc_management_port": grpc_management,
        "model_store": archive.parent,
        "workflow_store": archive.parent,
    }
    kept = [line for line in lines if line.partition("=")[0] not in own]
    configuration.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in own.items()), ""]))
    return Contender(
        "stock TorchServe",
        launcher,
        "`torchserve --start --foreground --disable-token-auth`, service_envelope=json",
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
    parser.add_argument("--image", help="check our image in containers, too")
    arguments = parser.parse_args()
    venvs = arguments.venvs.resolve()
    for environment in (FASTAPI, HF_TOOLKIT):
        environment.prepare(venvs, arguments.toolkit_source)
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        archive = write_echo_archive(scratch)
        contenders = [ours(archive), stock(archive, scratch), fastapi(venvs), toolkit(venvs)]
        if arguments.image:
            in_containers = ContainerLauncher(arguments.image, 8080, archive, {})
            contenders.insert(0, Contender(f"{OURS}, in containers", in_containers, arguments.image))
        found = {each.name: each.check() for each in contenders}
    here: Versions = installed_versions(sys.executable, ("torch", "torchserve"))
    programs = {
        OURS: here,
        "stock TorchServe": here,
        "FastAPI": FASTAPI.versions(venvs),
        HF_TOOLKIT.name: HF_TOOLKIT.versions(venvs),
    }
    settings: dict[str, Any] = {each.name: each.note for each in contenders}
    results = {name: each.as_json() for name, each in found.items()}
    publish(
        "conformance", "Who keeps Vertex AI's contract", settings, results, report(found), programs=programs
    )
    broken = [name for name, each in found.items() if name.startswith(OURS) and not each.ok]
    for name in broken:
        sys.stderr.write(f"NOT REACHED: {name} breaks the contract\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
