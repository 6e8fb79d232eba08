"""The JVM's command line and environment: TorchServe as its own launcher would start it."""

import importlib.util
import os
import sys
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive import Manifest
from vertex_torchserve.serving.config_properties import render_config_properties
from vertex_torchserve.serving.envelope import lay_out_home
from vertex_torchserve.serving.java import java_executable
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.sizing import MIB, Sizing

# How long requests that were accepted may take once SIGTERM came. Kubernetes waits 30 s before SIGKILL, and
# TorchServe's own stop takes two seconds of netty's quiet period behind the drain.
DRAIN_LIMIT_SECONDS = 20
_LAUNCHER = Path(__file__).with_name("java") / "vertex-torchserve.jar"
_LOG_CONFIG = Path(__file__).with_name("log4j2.xml")


def torchserve_command(
    settings: ServingSettings, sizing: Sizing, mar_path: Path, manifest: Manifest, work: Path
) -> list[str]:
    """What TorchServe's own launcher would start, so that signals and exit codes are the JVM's.

    The launcher throws the exit code away and leaves the JVM behind on SIGTERM (`ts/model_server.py` of
    TorchServe 0.12, which also has the command it builds).
    """
    site_packages = _torchserve_home()
    config = work / "config.properties"
    config.write_text(render_config_properties(settings, sizing, manifest, mar_path))
    java_tmp = work / "java"
    java_tmp.mkdir()
    return [
        str(java_executable()),
        f"-Dmodel_server_home={lay_out_home(work / 'home', site_packages)}",
        f"-Djava.io.tmpdir={java_tmp}",
        f"-Dlog4j.configurationFile=file://{_LOG_CONFIG}",
        f"-Xmx{sizing.heap_bytes // MIB}m",
        f"-XX:MaxDirectMemorySize={sizing.heap_bytes // MIB}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # no files in the machine's /tmp
        f"-Dvts.drain.limit.seconds={DRAIN_LIMIT_SECONDS}",
        "-cp",
        f"{site_packages}/ts/frontend/*{os.pathsep}{_LAUNCHER}",
        # TorchServe's own main with a truthful /ping and a drain, without gRPC (docs/decisions/0003).
        "vertextorchserve.Launcher",
        "--python",
        sys.executable,
        "-f",
        str(config),
        "-s",
        str(mar_path.parent),
        "-ncs",
        "--disable-token-auth",
    ]


def jvm_environment(work: Path, threads: int) -> dict[str, str]:
    """What the JVM, pip and the workers see; the JVM writes its own logs beneath `work`."""
    log_folder = str(work / "logs")
    # TS_MODEL_SERVER_HOME would beat the flag, and with it our envelope.
    inherited = {name: value for name, value in os.environ.items() if name != "TS_MODEL_SERVER_HOME"}
    return {
        **inherited,
        "LOG_LOCATION": log_folder,
        "METRICS_LOCATION": log_folder,
        # pip's output goes into a pipe that TorchServe reads only after pip has ended.
        "PIP_PROGRESS_BAR": "off",
        "PYTHONUNBUFFERED": "1",
        # Torch takes every core for each worker otherwise, and the host's cores at that.
        "OMP_NUM_THREADS": str(threads),
    }


def _torchserve_home() -> Path:
    spec = importlib.util.find_spec("ts")
    if spec is None or spec.origin is None:
        raise InputError(
            Problem(
                "TorchServe is not installed in this Python", "pip install 'vertex-torchserve[torchserve]'"
            )
        )
    return Path(spec.origin).parents[1]
