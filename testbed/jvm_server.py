"""TorchServe's JVM started by hand: with our launcher, or with TorchServe's own main class beside it."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psutil

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.serving.api_description import api_file
from vertex_torchserve.serving.envelope import lay_out_home
from vertex_torchserve.serving.java_libraries.class_path import class_path, torchserve_home, torchserve_jar
from vertex_torchserve.serving.java_libraries.java_runtime import java_executable
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.jvm_command import abandoned_file, launcher_properties

JAR = Path(__file__).parents[1] / "src" / "vertex_torchserve" / "serving" / "java" / "vertex-torchserve.jar"
LAUNCHER = "vertextorchserve.Launcher"
STOCK = "org.pytorch.serve.ModelServer"

# Answers {"id": n} with n, after the longest "sleep" of its batch.
SLEEPING_HANDLER = """\
import time


def handle(data, context):
    if data is None:
        return None
    requests = [row["body"] for row in data]
    time.sleep(max(request["sleep"] for request in requests))
    return [str(request["id"]) for request in requests]
"""


def model_config(*, workers: int = 1, batch_size: int = 1, response_timeout: int = 120) -> str:
    """The `model-config.yaml` of an archive that a JVM started by hand serves.

    Args:
        workers: `minWorkers` and `maxWorkers`.
        batch_size: `batchSize`; a batch is waited for 1 ms.
        response_timeout: `responseTimeout` in seconds: when TorchServe gives a worker up.
    """
    return (
        f"minWorkers: {workers}\nmaxWorkers: {workers}\nbatchSize: {batch_size}\nmaxBatchDelay: 1\n"
        f"responseTimeout: {response_timeout}\n"
    )


class JvmServer:
    """A JVM that serves one archive, in a session of its own; killed with its workers on exit.

    Args:
        work: An empty folder of its own; holds the configuration, the log and the JVM's temporary files.
        archive: What to serve, by the name `model`.
        main_class: `LAUNCHER` or `STOCK`.
        properties: System properties, in place of those our own server passes; the ready file exists.
        configuration: Added to `config.properties`.
        environment: Laid over this process's own.
    """

    def __init__(
        self,
        work: Path,
        archive: Path,
        *,
        main_class: str = LAUNCHER,
        properties: Mapping[str, str] | None = None,
        configuration: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.http, self.management, metrics, *self.grpc = free_ports(5)
        self.log_path = work / "log"
        (work / "tmp").mkdir(parents=True)
        ready = work / "ready"
        ready.touch()
        known = launcher_properties(
            ready, api_file(work), abandoned_file(work), ServingSettings.from_environment({}), "model"
        )
        config = work / "config.properties"
        config.write_text(
            f"inference_address=http://127.0.0.1:{self.http}\n"
            f"management_address=http://127.0.0.1:{self.management}\n"
            f"metrics_address=http://127.0.0.1:{metrics}\n"
            f"grpc_inference_port={self.grpc[0]}\ngrpc_management_port={self.grpc[1]}\n"
            f"load_models=model={archive.name}\n"
            "disable_token_authorization=true\ndisable_system_metrics=true\n"
            + "".join(f"{name}={value}\n" for name, value in (configuration or {}).items())
        )
        # Our launcher's workers are those of our own home: they listen for a connection of its own.
        home = torchserve_home()
        if main_class == LAUNCHER:
            home = lay_out_home(work / "home", home)
        # TorchServe's own main class needs its own jar: the libraries leave out gRPC.
        jars = [JAR, *(class_path() if main_class == LAUNCHER else [torchserve_jar()])]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    str(java_executable()),
                    f"-Dmodel_server_home={home}",
                    f"-Djava.io.tmpdir={work / 'tmp'}",
                    "-XX:-UsePerfData",
                    *(f"-D{name}={value}" for name, value in {**known, **(properties or {})}.items()),
                    *("-cp", ":".join(map(str, jars)), main_class),
                    *("--python", sys.executable, "-f", str(config), "-s", str(archive.parent)),
                    *("-ncs", "--disable-token-auth"),
                ],
                cwd=work,
                env={
                    **os.environ,
                    "LOG_LOCATION": str(work),
                    "METRICS_LOCATION": str(work),
                    **(environment or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str) -> tuple[int, str] | None:
        """Status and body of a GET on the inference port; None while nobody listens there."""
        return fetch(f"http://127.0.0.1:{self.http}{path}")

    def wait_healthy(self, seconds: float = READY_SECONDS) -> None:
        """Until `/ping` is 200."""

        def healthy() -> bool:
            assert self.process.poll() is None, self.log()
            answer = self.get("/ping")
            return answer is not None and answer[0] == 200

        wait_until(healthy, seconds, f"/ping is 200; the log ends:\n{self.log()[-3000:]}")

    def wait_loaded(self, workers: int, seconds: float = READY_SECONDS) -> None:
        """Until the management API says so of this many workers: TorchServe's own `/ping` doesn't."""

        def loaded() -> bool:
            assert self.process.poll() is None, self.log()
            answer = fetch(f"http://127.0.0.1:{self.management}/models/model")
            return answer is not None and answer[1].count('"READY"') == workers

        wait_until(loaded, seconds, f"{workers} workers loaded; the log ends:\n{self.log()[-3000:]}")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def workers(self) -> list[psutil.Process]:
        """The Python processes that hold the model."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [
            child for child in children if any("model_service_worker" in word for word in child.cmdline())
        ]

    def terminate(self) -> None:
        """Send SIGTERM to the JVM."""
        self.process.send_signal(signal.SIGTERM)

    def __enter__(self) -> "JvmServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def fetch(url: str, *, method: str = "GET", body: bytes | None = None) -> tuple[int, str] | None:
    """Status and body; None when nobody listens there."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return None
        raise
