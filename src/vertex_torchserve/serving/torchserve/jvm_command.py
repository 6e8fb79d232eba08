"""The JVM's command line and environment: TorchServe as its own launcher would start it."""

import logging
import os
import sys
from pathlib import Path

from vertex_torchserve.serving.api_description import api_file, schemas_file
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.envelope import lay_out_home
from vertex_torchserve.serving.health.early_listener import RETRY_AFTER_SECONDS
from vertex_torchserve.serving.health.ready_check import ready_file
from vertex_torchserve.serving.java_libraries.class_archive import class_archive_options
from vertex_torchserve.serving.java_libraries.class_path import class_path, torchserve_home
from vertex_torchserve.serving.java_libraries.java_runtime import java_executable
from vertex_torchserve.serving.machine.sizing import MIB, Sizing
from vertex_torchserve.serving.settings import HEALTH_PATH, PREDICT_PATH, ServingSettings
from vertex_torchserve.serving.torchserve.config_properties import max_body_bytes, render_config_properties

logger = logging.getLogger(__name__)

# How long new connections are accepted once SIGTERM came: not at all, so that the drain has all of the time.
DRAIN_DELAY_SECONDS = 0
# How long requests that were accepted may take after that. Kubernetes waits 30 s before SIGKILL, and
# TorchServe's own stop takes less than a second behind the drain.
DRAIN_LIMIT_SECONDS = 20
# A body or an answer that comes, or is read, slower than this ends its connection in the end: 64 kbit/s. The
# largest body may take 21 minutes.
SLOWEST_BYTES_PER_SECOND = 8192
# How many fields or parts the form of a request may have: as many as netty's later versions take by default.
FORM_FIELDS = 128
# How many bytes a form may have that is not in parts: a tenth of a body. Netty decodes it byte by byte,
# in a thread that other connections need too.
FORM_URLENCODED_BYTES = 999_999
# How many bytes the headers of one part of a form may have: as many as those of the request.
FORM_PART_HEADER_BYTES = 8192
# KServe's v1 protocol: a model's state is at this path and its name, its predictions with this behind it.
_KSERVE_MODELS = "/v1/models/"
_KSERVE_PREDICTS = ":predict"
_CONFIG_NAME = "config.properties"
_FIRST_HEAP_MIB = 64
_LAUNCHER = Path(__file__).parents[1] / "java" / "vertex-torchserve.jar"
_LOG_CONFIG = Path(__file__).with_name("log4j2.xml")


def torchserve_command(
    settings: ServingSettings, sizing: Sizing, model: ModelFolder, envelope: str, work: Path
) -> list[str]:
    """What TorchServe's own launcher would start, so that signals and exit codes are the JVM's.

    The launcher throws the exit code away and leaves the JVM behind on SIGTERM (`ts/model_server.py` of
    TorchServe 0.12, which also has the command it builds).
    """
    config = work / _CONFIG_NAME
    config.write_text(render_config_properties(settings, sizing, model, envelope))
    java_tmp = work / "java"
    java_tmp.mkdir()
    java, jars = java_executable(), class_path()
    return [
        str(java),
        *class_archive_options(jars, java),
        f"-Dmodel_server_home={lay_out_home(work / 'home', torchserve_home())}",
        f"-Djava.io.tmpdir={java_tmp}",
        f"-Dlog4j.configurationFile=file://{_LOG_CONFIG}",
        # The JVM begins with a 64th of the machine's memory otherwise, and fills that before it clears up.
        f"-Xms{min(_FIRST_HEAP_MIB, sizing.heap_bytes // MIB)}m",
        f"-Xmx{sizing.heap_bytes // MIB}m",
        f"-XX:MaxDirectMemorySize={sizing.heap_bytes // MIB}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # no files in the machine's /tmp
        # Only the JVM's first compiler: the second takes a third of a core from the model in the first minute
        # of load, and makes no answer faster (MiniLM on two cores, `top -H`, wrk with 32 connections).
        "-XX:TieredStopAtLevel=1",
        *(
            f"-D{name}={value}"
            for name, value in launcher_properties(
                ready_file(work),
                api_file(work),
                abandoned_file(work),
                settings,
                model.manifest.model_name,
            ).items()
        ),
        "-cp",
        os.pathsep.join(map(str, (*jars, _LAUNCHER))),
        # TorchServe's own main with a truthful /ping and a drain, without gRPC (docs/decisions/0003).
        "vertextorchserve.Launcher",
        "--python",
        sys.executable,
        "-f",
        str(config),
        "-s",
        str(model.path.parent),
        "-ncs",
        "--disable-token-auth",
    ]


def abandoned_file(work: Path) -> Path:
    """Where the JVM tells the workers which requests nobody waits for any more (AbandonedRequests.java)."""
    return work / "abandoned-requests"


def launcher_properties(
    ready_file: Path, api_file: Path, abandoned_file: Path, settings: ServingSettings, model_name: str
) -> dict[str, str]:
    """The system properties that our launcher reads (Settings.java, which has no defaults of its own).

    Args:
        ready_file: `/ping` is 503 until this file exists.
        api_file: The description of the API; `OPTIONS` is 503 until this file exists.
        abandoned_file: Made by the JVM: the table of requests that nobody waits for any more.
        settings: Routes, time-outs and the number of connections.
        model_name: The model's, in its own route.
    """
    return {
        "vts.ready.file": str(ready_file),
        "vts.api.file": str(api_file),
        "vts.public.metrics": str(int(settings.public_metrics)),
        "vts.routes": " ".join(
            f"{asked} {served}" for asked, served in _platform_routes(settings, model_name).items()
        ),
        "vts.abandoned.file": str(abandoned_file),
        "vts.drain.delay.seconds": str(DRAIN_DELAY_SECONDS),
        "vts.drain.limit.seconds": str(DRAIN_LIMIT_SECONDS),
        "vts.request.timeout.seconds": str(settings.request_timeout_seconds),
        "vts.read.timeout.seconds": str(settings.read_timeout_seconds),
        "vts.idle.timeout.seconds": str(settings.idle_timeout_seconds),
        "vts.slowest.bytes.per.second": str(SLOWEST_BYTES_PER_SECOND),
        "vts.connections": str(settings.connections),
        "vts.load.retry.seconds": str(RETRY_AFTER_SECONDS),
        "vts.form.fields": str(FORM_FIELDS),
        "vts.form.urlencoded.bytes": str(FORM_URLENCODED_BYTES),
        "vts.form.part.header.bytes": str(FORM_PART_HEADER_BYTES),
    }


def _platform_routes(settings: ServingSettings, model_name: str) -> dict[str, str]:
    """The path that TorchServe serves, by the one that the platform asks for."""
    predictions = f"{PREDICT_PATH}{model_name}"
    routes = {
        settings.predict_route or predictions: predictions,
        settings.health_route or HEALTH_PATH: HEALTH_PATH,
    }
    # KServe asks for a model by the name of its InferenceService, whatever the archive calls it.
    state, kserve_predicts, rest = settings.predict_route.partition(_KSERVE_PREDICTS)
    if state.startswith(_KSERVE_MODELS) and kserve_predicts and not rest:
        routes.setdefault(state, f"{_KSERVE_MODELS}{model_name}")
    return routes


def jvm_environment(work: Path, sizing: Sizing) -> dict[str, str]:
    """The environment of the JVM and the workers.

    Args:
        work: The server's private folder, with its `config.properties`.
        sizing: Workers and threads.
    """
    # A float64 for each worker: since when it has been idle. The reference handler writes and reads it
    # (hf_handler/threads.py).
    worker_times = work / "worker-times"
    worker_times.write_bytes(bytes(8 * sizing.workers))
    # What one worker measures at load decides for all of them (hf_handler/decisions.py).
    decisions = work / "decisions"
    decisions.mkdir(exist_ok=True)
    log_folder = str(work / "logs")
    decided = _decided_variables((work / _CONFIG_NAME).read_text())
    for name in sorted(decided & os.environ.keys()):
        logger.warning("%s is ignored: the server decides that itself (images/README.md)", name)
    return {
        **{name: value for name, value in os.environ.items() if name not in decided},
        "LOG_LOCATION": log_folder,
        "METRICS_LOCATION": log_folder,
        "PYTHONUNBUFFERED": "1",
        # TorchServe ends a worker whose answer is longer, so the envelope refuses such an answer first.
        "VTS_MAX_RESPONSE_BYTES": str(max_body_bytes()),
        # Without it each worker's torch uses as many threads as the host, not the container, has cores.
        "OMP_NUM_THREADS": str(sizing.threads),
        "VTS_WORKER_TIMES": str(worker_times),
        "VTS_DECISIONS": str(decisions),
        # The reference handler writes there what it takes and answers (hf_handler/published_schemas.py).
        "VTS_SCHEMAS": str(schemas_file(work)),
        # torch makes this folder when transformers is imported, and leaves it in the machine's /tmp.
        "TORCHINDUCTOR_CACHE_DIR": os.environ.get("TORCHINDUCTOR_CACHE_DIR") or str(work / "torchinductor"),
        # The reference handler looks there between packs and tokens (hf_handler/waiting.py).
        "VTS_ABANDONED_REQUESTS": str(abandoned_file(work)),
    }


def _decided_variables(config: str) -> set[str]:
    """Variables that override `config.properties`: one for each of its keys, and two for file and home."""
    keys = {line.partition("=")[0] for line in config.splitlines()}
    return {f"TS_{key.upper()}" for key in keys} | {"TS_CONFIG_FILE", "TS_MODEL_SERVER_HOME"}
