"""Run the component: as a KFP pipeline on this machine, or its one call in this process."""

import contextlib
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from kfp import dsl, local

from testbed.archives import ECHO_HANDLER
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.component.run import run
from vertex_torchserve.emulator import Emulator

PROJECT = "my-project"
LOCATION = "us-central1"


@dataclass(frozen=True)
class Cloud:
    """A storage service and a registry.

    Attributes:
        storage: The storage service and its one bucket.
        emulator: Both services.
    """

    storage: StorageEmulator
    emulator: Emulator

    def put_model(self, folder: str, handler: str = ECHO_HANDLER) -> dict[str, Any]:
        """A model's folder and its handler; returns the inputs of the component that name them."""
        self.storage.put(f"{folder}/ckpt.pt", f"weights of {folder}")
        self.storage.put(f"{folder}-extra/handler.py", handler)
        return {
            "project_id": PROJECT,
            "location": LOCATION,
            "gcs_model_path": f"gs://bucket/{folder}",
            "local_model_file": "ckpt.pt",
            "model_display_name": folder,
            "extra_files_staging_path": f"gs://bucket/{folder}-extra",
            "handler": "handler.py",
        }

    def keys_beneath(self, folder: str) -> list[str]:
        stored = self.storage.keys()
        return [key for key in stored if key.startswith(f"{folder}/")]

    def archive(self, artifact_uri: str) -> zipfile.ZipFile:
        """The archive in an artifact's folder, which holds nothing else."""
        (key,) = self.keys_beneath(artifact_uri.removeprefix("gs://bucket/"))
        return zipfile.ZipFile(io.BytesIO(self.storage.get(key)))

    def endpoints(self, display_name: str) -> list[aiplatform.Endpoint]:
        """Every endpoint of that name."""
        self._connect()
        return list(aiplatform.Endpoint.list(filter=f'display_name="{display_name}"'))

    def deployed(self, display_name: str) -> list[Any]:
        """Every model on every endpoint of that name, as the API shows them."""
        endpoints = self.endpoints(display_name)
        return [model for endpoint in endpoints for model in endpoint.gca_resource.deployed_models]

    def versions(self, display_name: str) -> list[Any]:
        """Every version of every model of that name, as the API shows them."""
        self._connect()
        return [
            version
            for model in aiplatform.Model.list(filter=f'display_name="{display_name}"')
            for version in model.api_client.list_model_versions(name=model.resource_name)
        ]

    def _connect(self) -> None:
        aiplatform.init(
            project=PROJECT,
            location=LOCATION,
            credentials=AnonymousCredentials(),
            api_endpoint=self.emulator.vertex_host,
            api_transport="rest",
        )


def run_here(**inputs: Any) -> VertexModel:
    """The component's body in this process; returns its output."""
    vertex_model = VertexModel()
    with tempfile.TemporaryDirectory(prefix="vts-outputs-") as folder:
        run(vertex_model, dsl.HTML(uri=f"{folder}/report"), dsl.Metrics(uri=f"{folder}/metrics"), **inputs)
    return vertex_model


def run_pipeline(pipeline: Callable[[], Any], root: Path) -> tuple[Any, str]:
    """Run a KFP pipeline on this machine, each task in a process of its own.

    Returns:
        The pipeline's output, None when a task failed; and the log of all tasks.
    """
    log = io.StringIO()
    with (
        tempfile.TemporaryDirectory(prefix="vts-kfp-") as temporary,
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        patch.setenv("TMPDIR", temporary)  # a task leaves the file with its source there
        # The image's name says nothing of Python; everything in the image is in this Python, too.
        warnings.filterwarnings("ignore", ".*non-Python base image", RuntimeWarning)
        # The component reads the uri, never the local path.
        warnings.filterwarnings("ignore", ".*you're using the remote file", UserWarning)
        local.init(
            runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=False
        )
        task = pipeline()
    return task.outputs.get("Output"), log.getvalue()
