"""What was decided is what TorchServe and its workers do."""

import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.model_folders import write_archive
from vertex_torchserve.serving.local_server import ServingProcess

READY_SECONDS = 90.0
TELLING_HANDLER = """\
import os


def handle(data, context):
    if data is not None:
        return [os.environ["OMP_NUM_THREADS"]]
"""


@pytest.mark.parametrize(
    ("config", "batch_size", "workers"),
    [(None, 5, 2), ("batchSize: 7\nminWorkers: 1\nmaxWorkers: 1\n", 7, 1)],
)
def test_workers_threads_and_batches(
    tmp_path: Path, config: str | None, batch_size: int, workers: int
) -> None:
    names: dict[str, Any] = {"configFile": "model-config.yaml"} if config else {}
    mar = write_archive(tmp_path, TELLING_HANDLER, modelVersion="2.0", **names)
    if config:
        with zipfile.ZipFile(mar, "a") as archive:
            archive.writestr("model-config.yaml", config)
    environment = {
        "AIP_STORAGE_URI": str(tmp_path),
        "VTS_WORKERS": "2",
        "VTS_THREADS": "3",
        "VTS_BATCH_SIZE": "5",
    }
    with ServingProcess(environment) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(f"{server.base_url}/predictions/model", json={"instances": [1]})
        assert answer.json() == {"predictions": ["3"]}
        log = server.log_tail(lines=500)
    assert log.count(f"model_name: model, batchSize: {batch_size}") == workers
