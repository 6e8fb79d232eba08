"""The component, killed at any moment and tried again: how many versions, and what is in its folder."""

import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

import httpx

from testbed.archives import ECHO_HANDLER
from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.emulator.storage.object_store import ObjectStore

BUCKET = "models"
PARENT = "projects/my-project/locations/us-central1"
MODEL_BYTES = 4 << 20
NEIGHBOUR_BYTES = 24 << 20
_FORKS = multiprocessing.get_context("forkserver")
# Imported once, before the processes of the trials are forked: a kill then meets the work and not imports.
_FORKS.set_forkserver_preload(["testbed.killed_component", "vertex_torchserve.component.run"])


@dataclass(frozen=True)
class Trial:
    """One kill.

    Attributes:
        is_busy: Whether somebody else uploaded all the time.
        seconds: When it was killed, from its start.
        was_alive: Whether it was at work then; else it had ended.
        retries: How many were started afterwards, at once.
        retries_ended_well: How many of them did.
        retry_seconds: How long they took.
        versions: How many there are then.
        archives: What the artifact folders hold.
        notes: Leases that are left.
    """

    is_busy: bool
    seconds: float
    was_alive: bool
    retries: int
    retries_ended_well: int
    retry_seconds: float
    versions: int
    archives: int
    notes: int

    @property
    def is_right(self) -> bool:
        """Whether there is one version and one archive, and every retry said so."""
        return (self.versions, self.archives, self.notes) == (
            1,
            1,
            0,
        ) and self.retries_ended_well == self.retries


class Cloud:
    """An emulator with a bucket, and models in it to try the component with."""

    def __init__(self, emulator: Emulator) -> None:
        self._store = ObjectStore(emulator.storage_host)
        self._environment = emulator.environment()
        self._http = httpx.Client(
            base_url=f"{emulator.vertex_host}/v1", trust_env=False, timeout=ANSWER_SECONDS
        )

    def inputs(self, name: str) -> dict[str, Any]:
        """Put a model of that name into the bucket; returns the component's inputs."""
        self._store.write(BUCKET, f"{name}/ckpt.pt", random.Random(name).randbytes(MODEL_BYTES))  # noqa: S311
        self._store.write(BUCKET, f"{name}-extra/handler.py", ECHO_HANDLER.encode())
        return {
            "project_id": "my-project",
            "location": "us-central1",
            "gcs_model_path": f"gs://{BUCKET}/{name}",
            "local_model_file": "ckpt.pt",
            "model_display_name": name,
            "extra_files_staging_path": f"gs://{BUCKET}/{name}-extra",
            "handler": "handler.py",
        }

    def trial(self, name: str, seconds: float, *, retries: int, is_busy: bool) -> Trial:
        """Start the component, kill it, and try it again.

        Args:
            name: Of a model that nobody has used.
            seconds: How long it lives.
            retries: How many are started at once after its death.
            is_busy: What the trial says of its surroundings.
        """
        inputs = self.inputs(name)
        first = self.start(inputs)
        first.join(seconds)
        was_alive = first.is_alive()
        first.kill()
        first.join()
        began = time.monotonic()
        others = [self.start(inputs) for _ in range(retries)]
        for process in others:
            process.join(PROGRAM_SECONDS)
        keys = self._store.names(BUCKET, f"{name}/model-archive/")
        return Trial(
            is_busy,
            round(seconds, 3),
            was_alive,
            retries,
            sum(process.exitcode == 0 for process in others),
            round(time.monotonic() - began, 1),
            self._versions(name),
            sum("-lease/" not in key for key in keys),
            sum("-lease/" in key for key in keys),
        )

    def start(self, inputs: Mapping[str, Any]) -> BaseProcess:
        """Start the component in a process of its own."""
        process = _FORKS.Process(target=run_component, args=(dict(inputs), self._environment), daemon=True)
        process.start()
        return process

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody else uploads a larger model again and again until the block ends."""
        ended = threading.Event()
        neighbour = threading.Thread(target=self._upload_until, args=(ended,), daemon=True)
        neighbour.start()
        try:
            yield
        finally:
            ended.set()
            neighbour.join()

    def _upload_until(self, ended: threading.Event) -> None:
        content = bytes(NEIGHBOUR_BYTES)
        model = {
            "displayName": "neighbour",
            "artifactUri": f"gs://{BUCKET}/neighbour",
            "containerSpec": {"imageUri": "us-central1-docker.pkg.dev/p/r/torchserve-cpu:1"},
        }
        while not ended.is_set():
            self._store.write(BUCKET, "neighbour/model.mar", content)
            self._http.post(f"/{PARENT}/models:upload", json={"model": model}).raise_for_status()
            ended.wait(0.2)

    def _versions(self, name: str) -> int:
        asked = self._http.get(f"/{PARENT}/models", params={"filter": f'display_name="{name}"'})
        models = asked.raise_for_status().json()["models"]
        listed = [self._http.get(f"/{model['name']}:listVersions").raise_for_status() for model in models]
        return sum(len(each.json()["models"]) for each in listed)


@contextmanager
def cloud() -> Iterator[Cloud]:
    """An emulator with its bucket, until the block ends."""
    with Emulator.start(buckets=[BUCKET]) as emulator:
        yield Cloud(emulator)


def run_component(inputs: dict[str, Any], environment: Mapping[str, str]) -> None:
    """What a process of its own does: the component's one call, with these variables."""
    from kfp import dsl

    from vertex_torchserve.component.artifacts import VertexModel
    from vertex_torchserve.component.run import run

    os.environ.update(environment)
    with tempfile.TemporaryDirectory(prefix="vts-outputs-") as folder:
        run(VertexModel(), dsl.HTML(uri=f"{folder}/report"), dsl.Metrics(uri=f"{folder}/metrics"), **inputs)
