"""A model as the proof serves it: packaged, started through the entrypoint, asked over HTTP."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.contenders import ask, package
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

ROUTE = "/predictions/model"


def packaged(folder: Path, store: Path, config: Mapping[str, Any] | None = None) -> Path:
    """Package a model folder as `store`/model.mar; returns `store`.

    Args:
        folder: The model's.
        store: Is made.
        config: Of the archive's model-config.yaml.
    """
    store.mkdir()
    options: tuple[str, ...] = ()
    if config:
        file = store.with_suffix(".yaml")
        file.write_text(json.dumps(config))  # JSON is YAML
        options = ("--config-file", str(file))
    package(folder, store, *options)
    return store


@contextlib.contextmanager
def served(store: Path, **environment: str) -> Iterator[tuple[ServingProcess, int]]:
    """Serve the archive of a folder while the block lasts; yields the ready server and its port.

    Args:
        store: The folder.
        environment: The container's, besides.
    """
    variables = {"AIP_STORAGE_URI": str(store), "MODEL_NAME": "model", **environment}
    with ServingProcess(variables) as server:
        server.wait_ready(READY_SECONDS)
        yield server, port_of(server)


def port_of(server: ServingProcess) -> int:
    """Where predictions are answered."""
    return int(server.base_url.rpartition(":")[2])


def predictions(port: int, body: Mapping[str, Any]) -> list[Any]:
    """Ask once.

    Raises:
        RuntimeError: When the answer is not 200.
    """
    answer = ask(port, ROUTE, json.dumps(body).encode(), seconds=ANSWER_SECONDS)
    if answer.status != 200:
        raise RuntimeError(f"the server answered {answer.status}: {answer.body[:500]!r}")
    found: list[Any] = json.loads(answer.body)["predictions"]
    return found
