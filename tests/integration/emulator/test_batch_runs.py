"""The run of a batch job: several groups at a time, results in order, files that are never held whole."""

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import MOMENT_SECONDS
from vertex_torchserve.emulator.batch.files import Instances, Outcome
from vertex_torchserve.emulator.batch.run import BatchRun
from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.registry.model_registry import ModelVersion
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.emulator.storage.object_store import ObjectStore
from vertex_torchserve.emulator.storage.storage_server import StorageServer

RESULTS = "prediction.results-00000-of-00001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        server = StorageServer(Path(folder), ("127.0.0.1", 0))
        objects = ObjectStore(server.url)
        objects.create_bucket("models")
        yield objects
        objects.close()
        server.stop()


def read(store: ObjectStore, name: str) -> list[Any]:
    return [json.loads(line) for line in store.lines("models", name) if line]


class ModelLauncher:
    """Starts model servers that answer when `at_once` requests have come, with ten times each instance."""

    def __init__(self, at_once: int) -> None:
        self.together = threading.Barrier(at_once, timeout=MOMENT_SECONDS)

    def refuse_unusable(self, spec: Any, artifact_copy: str) -> None:
        """Nothing is refused."""

    def copy_image(self, image: str) -> str:
        return image

    def launch(self, container: Container, log_path: Path) -> "TenTimes":
        return TenTimes(self.together)


class TenTimes:
    """A small HTTP server in this process."""

    def __init__(self, together: threading.Barrier) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                together.wait()
                broken = "poison" in asked["instances"]
                answer = {"predictions": [] if broken else [10 * each for each in asked["instances"]]}
                body = json.dumps(answer).encode()
                self.send_response(500 if broken else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def become_ready(self, timeout_seconds: float) -> None:
        """It is."""

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def ended(store: ObjectStore, launcher: ModelLauncher, log_folder: Path) -> Iterator[dict[str, Any]]:
    """What became of a job over `in.jsonl` in groups of two."""
    job = {
        "name": "projects/1/locations/l/batchPredictionJobs/2",
        "createTime": "2026-01-02T03:04:05.678901Z",
        "inputConfig": {"gcsSource": {"uris": ["gs://models/in.jsonl"]}},
        "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://models/out"}},
        "manualBatchTuningParameters": {"batchSize": 2},
    }
    spec = {"imageUri": "image", "predictRoute": "/predict"}
    version = ModelVersion("model", {"displayName": "model", "containerSpec": spec}, "", "image")
    told: dict[str, Any] = {}
    run = BatchRun(job, version, store, launcher=launcher, log_folder=log_folder, update=told.update)
    run.start()
    run.wait(MOMENT_SECONDS)
    yield told


def test_groups_are_sent_four_at_a_time_and_recorded_in_order(store: ObjectStore, tmp_path: Path) -> None:
    instances: list[Any] = [*range(14), "poison", 15]
    store.write("models", "in.jsonl", "\n".join(map(json.dumps, instances)).encode())
    with ended(store, ModelLauncher(at_once=4), tmp_path) as told:
        assert told["state"] == "JOB_STATE_SUCCEEDED"
        assert told["completionStats"] == {
            "successfulCount": "14",
            "failedCount": "2",
            "incompleteCount": "0",
        }
    folder = "out/prediction-model-2026-01-02T03:04:05.678Z"
    assert store.names("models", "out/") == [
        f"{folder}/errors_0001.jsonl",
        f"{folder}/prediction.errors_stats-00000-of-00001",
        f"{folder}/{RESULTS}",
    ]
    expected = [{"instance": each, "prediction": 10 * each} for each in range(14)]
    assert read(store, f"{folder}/{RESULTS}") == expected
    failed = read(store, f"{folder}/errors_0001.jsonl")
    assert [line["instance"] for line in failed] == ["poison", 15]


def test_results_larger_than_a_part_go_out_as_they_come(store: ObjectStore) -> None:
    outcome = Outcome(store, "gs://models/out")
    for number in range(3):
        outcome.succeed([number], ["p" * (5 << 20)])
    # 15 MiB of results so far: a part of 8 MiB has been sent, the object isn't there before the end.
    assert store.names("models", "out/") == []
    outcome.close()
    lines = read(store, f"out/{RESULTS}")
    assert [(line["instance"], len(line["prediction"])) for line in lines] == [
        (0, 5 << 20), (1, 5 << 20), (2, 5 << 20),
    ]  # fmt: skip
    assert outcome.stats(4) == {"successfulCount": "3", "failedCount": "0", "incompleteCount": "1"}


def test_instances_of_many_pieces(store: ObjectStore) -> None:
    # Lines of 3 MiB: some lie across the 8 MiB that are read at once.
    long = [f"{number}" * (3 << 20) for number in range(1, 6)]
    store.write("models", "in/a", "\n\n".join(f'"{each}"' for each in long).encode() + b"\r\n")
    store.write("models", "in/b", b"1\n2")
    store.write("models", "in/exact", b" " * ((8 << 20) - 1) + b"3")
    instances = Instances(store, ["gs://models/in/*"])
    assert instances.count == 8
    assert list(instances.groups(5)) == [long, [1, 2, 3]]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_an_instance(store: ObjectStore, content: bytes) -> None:
    store.write("models", "in", content)
    with pytest.raises(RpcError, match=r"No instances in gs://models/in\."):
        Instances(store, ["gs://models/in"])
