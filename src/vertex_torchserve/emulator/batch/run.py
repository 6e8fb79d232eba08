"""The run of one batch prediction job: start a model server, send groups of instances, write the files."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from vertex_torchserve.emulator.batch.files import Outcome, read_instances
from vertex_torchserve.emulator.containers.container import Place
from vertex_torchserve.emulator.containers.model_server import ModelServer
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.registry.model_registry import ModelVersion
from vertex_torchserve.emulator.rest.names import now, resource_id
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_LOG = logging.getLogger(__name__)
# ManualBatchTuningParameters.batch_size: "the default value is 64".
_DEFAULT_BATCH_SIZE = 64


class BatchRun:
    """The thread of one job.

    Args:
        job: The job as it was created.
        version: The model version that predicts.
        store: Where instances are read and predictions written.
        launcher: What starts the model server.
        log_folder: Where the model server's output goes.
        update: Called with the job's fields that change.
    """

    def __init__(
        self,
        job: Json,
        version: ModelVersion,
        store: ObjectStore,
        *,
        launcher: Launcher,
        log_folder: Path,
        update: Callable[[Json], None],
    ) -> None:
        self._job = job
        self._version = version
        self._store = store
        self._launcher = launcher
        self._id = resource_id(job["name"])
        self._log_path = log_folder / f"batch-{self._id}.log"
        self._update = update
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._server: ModelServer | None = None
        self._thread = threading.Thread(target=self._run, name="batch-prediction", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the run to end: its model server is stopped at once, and no further group is sent."""
        with self._lock:
            self._cancelled.set()
            server = self._server
        if server:
            server.stop()

    def wait(self, timeout_seconds: float) -> None:
        """Wait until the run has ended, or the time is over."""
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        end: Json
        try:
            end = self._predict()
        except RpcError as error:
            end = {"state": "JOB_STATE_FAILED", "error": error.status_json()}
        except Exception as error:
            # Whatever went wrong, the job must end: a client polls it until it does.
            _LOG.exception("batch prediction job %s failed", self._id)
            status = RpcError("INTERNAL", f"{type(error).__name__}: {error}").status_json()
            end = {"state": "JOB_STATE_FAILED", "error": status}
        if self._cancelled.is_set():
            status = RpcError("CANCELLED", "The job was cancelled.").status_json()
            end |= {"state": "JOB_STATE_CANCELLED", "error": status}
        self._update({**end, "endTime": now()})

    def _predict(self) -> Json:
        instances = read_instances(self._store, self._job["inputConfig"]["gcsSource"]["uris"])
        self._update({"state": "JOB_STATE_RUNNING", "startTime": now()})
        server = self._start_server()
        outcome = Outcome()
        try:
            server.become_ready()
            self._send(server, instances, outcome)
        finally:
            server.stop()
        folder = self._output_folder()
        outcome.write(self._store, folder)
        end: Json = {
            "state": "JOB_STATE_SUCCEEDED" if outcome.results else "JOB_STATE_FAILED",
            "outputInfo": {"gcsOutputDirectory": folder},
            "completionStats": outcome.stats(len(instances)),
        }
        if not outcome.results and outcome.errors:
            end["error"] = outcome.errors[0]["error"]
        return end

    def _send(self, server: ModelServer, instances: list[object], outcome: Outcome) -> None:
        tuning = self._job.get("manualBatchTuningParameters", {})
        size = tuning.get("batchSize") or _DEFAULT_BATCH_SIZE
        for start in range(0, len(instances), size):
            if self._cancelled.is_set():
                return
            group = instances[start : start + size]
            try:
                found = server.predictions(group, self._job.get("modelParameters"))
                outcome.succeed(group, found if isinstance(found, list) else [found])
            except RpcError as error:
                outcome.fail(group, error)

    def _start_server(self) -> ModelServer:
        place = Place(
            project_number=self._job["name"].split("/")[1],
            endpoint_id=self._id,
            deployed_model_id=self._id,
            machine=self._job.get("dedicatedResources", {}).get("machineSpec", {}),
        )
        with self._lock:
            if self._cancelled.is_set():
                raise RpcError("CANCELLED", "The job was cancelled.")
            self._server = ModelServer.of(self._version, place, self._launcher, self._log_path)
            return self._server

    def _output_folder(self) -> str:
        """`<prefix>/prediction-<model display name>-<job create time>` (OutputConfig.gcs_destination)."""
        destination = GcsUri.parse(self._job["outputConfig"]["gcsDestination"]["outputUriPrefix"])
        # The documented time has milliseconds.
        moment = self._job["createTime"][: -len("000Z")] + "Z"
        name = f"prediction-{self._version.resource['displayName']}-{moment}"
        return f"gs://{destination.bucket}/{destination.folder}{name}"
