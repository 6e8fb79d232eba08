"""A real TorchServe with the envelope, serving an archive of one handler in batches of 16."""

import os
import re
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from model_folders import write_archive
from vertex_torchserve.serving.archive import read_manifest
from vertex_torchserve.serving.entrypoint import torchserve_command
from vertex_torchserve.serving.envelope import SERVICE_ENVELOPE, lay_out_home
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving.readiness import all_models_ready
from vertex_torchserve.serving.settings import ServingSettings

READY_SECONDS = 90.0
HANDLER = """\
import os

import torch
from instances import shout
from ts.utils.util import PredictionException


class Handler:
    def initialize(self, context):
        self.sizes = []

    def handle(self, data, context):
        self.sizes.append(len(data))
        explain = context.get_request_header(0, "explain")
        return [
            self.answer(item, parameters, explain)
            for item, parameters in zip(data, context.instance_parameters, strict=True)
        ]

    def answer(self, item, parameters, explain):
        if item == "secret poison":
            raise ValueError("poisoned by " + item)
        if item == "long":
            raise PredictionException("longer than 512 tokens", 413)
        if item == "memory":
            raise MemoryError
        if item == "sizes":
            return self.sizes
        if item == "pid":
            return os.getpid()
        if item == "explained":
            return explain
        if item == "tensor":
            return torch.tensor([0.5, 1.5])
        return shout(item.decode() if isinstance(item, bytes) else item) + parameters.get("mark", "")
"""
# `initialize` proves that a module of the archive wins over one of the same name beside the envelope.
INSTANCES = "def shout(text):\n    return text.upper()\n"
CONFIG = "minWorkers: 1\nmaxWorkers: 1\nbatchSize: 16\nmaxBatchDelay: 500\nresponseTimeout: 60\n"


class Server(NamedTuple):
    client: httpx.Client
    log: Path

    def post(self, body: bytes, route: str = "/predictions/model", **headers: str) -> httpx.Response:
        """Send bytes, as JSON unless `content_type` says otherwise."""
        content_type = headers.get("content_type", "application/json")
        return self.client.post(route, content=body, headers={"content-type": content_type})


@contextmanager
def envelope_server(store: Path) -> Iterator[Server]:
    """Serve one archive, written into `store`, until the end of the block."""
    mar = write_archive(store, HANDLER, configFile="model-config.yaml")
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("model-config.yaml", CONFIG)
        archive.writestr("instances.py", INSTANCES)
    http, management, metrics, grpc_inference, grpc_management = free_ports(5)
    settings = ServingSettings.from_environment(
        {
            "AIP_STORAGE_URI": str(store),
            "AIP_HTTP_PORT": str(http),
            "VTS_MANAGEMENT_PORT": str(management),
            "VTS_METRICS_PORT": str(metrics),
            "VTS_GRPC_INFERENCE_PORT": str(grpc_inference),
            "VTS_GRPC_MANAGEMENT_PORT": str(grpc_management),
        }
    )
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:  # short: it holds a Unix socket
        work = Path(folder)
        command = with_envelope(torchserve_command(settings, mar, read_manifest(mar), work), work)
        log = work / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=work,
                env={
                    **os.environ,
                    "LOG_LOCATION": folder,
                    "METRICS_LOCATION": folder,
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + READY_SECONDS
            while not all_models_ready(management):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            with httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=60.0) as client:
                yield Server(client, log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def with_envelope(command: list[str], work: Path) -> list[str]:
    """The command the entrypoint builds, with the envelope in place of TorchServe's."""
    flag = "-Dmodel_server_home="
    (site_packages,) = [word.removeprefix(flag) for word in command if word.startswith(flag)]
    home = lay_out_home(work / "home", Path(site_packages))
    config = work / "config.properties"
    text = re.sub(r"(?m)^(service_envelope|decode_input_request)=.*\n", "", config.read_text())
    config.write_text(f"{text}service_envelope={SERVICE_ENVELOPE}\ndecode_input_request=false\n")
    return [f"{flag}{home}" if word.startswith(flag) else word for word in command]
