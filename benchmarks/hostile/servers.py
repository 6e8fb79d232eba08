"""The two that are attacked, each in a process on this machine: our server and stock TorchServe."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import usable_cores
from testbed.archives import write_archive
from testbed.deadlines import READY_SECONDS
from testbed.jvm_server import STOCK, JvmServer
from testbed.packaged_models import package, parameters
from testbed.tiny_models import samples
from vertex_torchserve.serving.local_server import ServingProcess

from .attack import WIRE
from .watching import ask_small
from .wire_handler import HANDLER

SETTLED_SECONDS = 1.0
# As benchmarks/stock/config.properties has them.
STOCK_CONFIGURATION = {
    "service_envelope": "json",
    "number_of_netty_threads": "32",
    "job_queue_size": "1000",
}


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        port: Of predictions, on loopback.
        process: The one below which its workers are.
        small: The body of a small prediction.
    """

    port: int
    process: psutil.Process
    small: bytes

    def workers(self) -> set[int]:
        """The process ids of the workers."""
        found = set()
        for child in self.process.children(recursive=True):
            try:
                if any("model_service_worker" in word for word in child.cmdline()):
                    found.add(child.pid)
            except psutil.NoSuchProcess:
                continue
        return found

    def is_well(self) -> bool:
        """Whether `/ping` and a small prediction are answered in no time."""
        return all(
            ask_small(self.port, path, body, SETTLED_SECONDS) == 200
            for path, body in (("/ping", None), ("/predictions/model", self.small))
        )

    def settles(self, seconds: float) -> bool:
        """Whether it is well within so many seconds."""
        deadline = time.monotonic() + seconds
        while not self.is_well():
            if time.monotonic() > deadline or not self.process.is_running():
                return False
        return True


def write_store(served: str, folder: Path) -> Path:
    """The folder of an archive of the model, or of the handler of the wire."""
    if served == WIRE:
        return write_archive(folder / "archive", HANDLER).parent
    return package(served, folder).parent


# A small answer: the tiny model goes on with its text for as long as it may.
SMALL = {"automatic-speech-recognition": {"max_new_tokens": 4}}


def small_request(served: str) -> bytes:
    """What a neighbour asks, a small prediction; parameters are the instance's, as stock drops others."""
    if served == WIRE:
        return b'{"instances": ["a"]}'
    instance: Any = {
        "inputs": samples(served)[0],
        "parameters": {**parameters(served), **SMALL.get(served, {})},
    }
    return json.dumps({"instances": [instance]}).encode()


@contextmanager
def start_ours(store: Path, small: bytes, work: Path) -> Iterator[Served]:
    """As the images serve it."""
    with ServingProcess({"AIP_STORAGE_URI": str(store)}, log_path=work / "log") as server:
        server.wait_ready(READY_SECONDS)
        yield Served(int(server.base_url.rpartition(":")[2]), psutil.Process(server.pid), small)


@contextmanager
def start_stock(store: Path, small: bytes, work: Path) -> Iterator[Served]:
    """TorchServe's own main class, with as many workers as it starts by itself."""
    with JvmServer(
        work / "run", store / "model.mar", main_class=STOCK, configuration=STOCK_CONFIGURATION
    ) as server:
        server.wait_loaded(usable_cores())
        yield Served(server.http, psutil.Process(server.process.pid), small)


CONTENDERS = {"ours": start_ours, "stock": start_stock}
