"""What was decided is what TorchServe and its workers do."""

from pathlib import Path

import httpx
import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

TELLING_HANDLER = """\
import os


def handle(data, context):
    if data is not None:
        return [os.environ["OMP_NUM_THREADS"]]
"""


@pytest.mark.parametrize(
    ("config", "batch_size", "workers"),
    [("", 5, 2), ("batchSize: 7\nminWorkers: 1\nmaxWorkers: 1\n", 7, 1)],
)
def test_workers_threads_and_batches(tmp_path: Path, config: str, batch_size: int, workers: int) -> None:
    write_archive(tmp_path, TELLING_HANDLER, config=config, modelVersion="2.0")
    environment = {
        "AIP_STORAGE_URI": str(tmp_path),
        "VTS_WORKERS": "2",
        "VTS_THREADS": "3",
        "VTS_BATCH_SIZE": "5",
    }
    with ServingProcess(environment) as server:
        server.wait_ready(READY_SECONDS)
        answer = httpx.post(
            f"{server.base_url}/predictions/model", json={"instances": [1]}, timeout=ANSWER_SECONDS
        )
        assert answer.json() == {"predictions": ["3"]}
        log = server.log_tail(lines=500)
    assert log.count(f"model_name: model, batchSize: {batch_size}") == workers
