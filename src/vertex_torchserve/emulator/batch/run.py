"""The run of one batch prediction job: start a model server, send groups of instances, write the files."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from vertex_torchserve.emulator.batch.files import Instances, Outcome
from vertex_torchserve.emulator.containers.container import Place
from vertex_torchserve.emulator.containers.model_server import REQUEST_SECONDS, ModelServer
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.registry.model_registry import ModelVersion
from vertex_torchserve.emulator.rest.names import now, resource_id
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_LOG = logging.getLogger(__name__)
# ManualBatchTuningParameters.batch_size: "the default value is 64".
_DEFAULT_BATCH_SIZE = 64
# As many workers as a served model has at most: each has a group to work on.
_GROUPS_AT_ONCE = 4


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
        instances = Instances(self._store, self._job["inputConfig"]["gcsSource"]["uris"])
        self._update({"state": "JOB_STATE_RUNNING", "startTime": now()})
        server = self._start_server()
        folder = self._output_folder()
        outcome = Outcome(self._store, folder)
        try:
            server.become_ready()
            self._send(server, instances, outcome)
        finally:
            server.stop()
        outcome.close()
        end: Json = {
            "state": "JOB_STATE_SUCCEEDED" if outcome.successful else "JOB_STATE_FAILED",
            "outputInfo": {"gcsOutputDirectory": folder},
            "completionStats": outcome.stats(instances.count),
        }
        if not outcome.successful and outcome.first_error:
            end["error"] = outcome.first_error
        return end

    def _send(self, server: ModelServer, instances: Instances, outcome: Outcome) -> None:
        """Send the groups, several at a time, and record what becomes of them in their order."""
        tuning = self._job.get("manualBatchTuningParameters", {})
        size = tuning.get("batchSize") or _DEFAULT_BATCH_SIZE
        sent: deque[tuple[list[object], Future[list[object]]]] = deque()
        with ThreadPoolExecutor(_GROUPS_AT_ONCE, "batch-prediction") as requests:
            for group in instances.groups(size):
                if self._cancelled.is_set():
                    break
                if len(sent) == _GROUPS_AT_ONCE:
                    _record(*sent.popleft(), outcome)
                sent.append((group, requests.submit(self._predictions, server, group)))
            for group, found in sent:
                _record(group, found, outcome)

    def _predictions(self, server: ModelServer, group: list[object]) -> list[object]:
        # Where the server has one worker, a group waits for those before it.
        longest = REQUEST_SECONDS * _GROUPS_AT_ONCE
        found = server.predictions(group, self._job.get("modelParameters"), timeout_seconds=longest)
        return found if isinstance(found, list) else [found]

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


def _record(group: list[object], found: Future[list[object]], outcome: Outcome) -> None:
    try:
        outcome.succeed(group, found.result())
    except RpcError as error:
        outcome.fail(group, error)
