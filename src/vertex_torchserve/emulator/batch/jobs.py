"""Batch prediction jobs as resources: create, get, list, cancel, delete."""

from pathlib import Path

from vertex_torchserve.emulator.batch.run import BatchRun
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.registry.model_registry import ModelRegistry
from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.emulator.rest.listing import page
from vertex_torchserve.emulator.rest.names import new_id, now
from vertex_torchserve.emulator.rest.operations import EMPTY, Operations
from vertex_torchserve.emulator.rest.request import Json, Request, Routes
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_emulated, not_found
from vertex_torchserve.emulator.state import State
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}


class BatchPredictionJobs:
    """The jobs in the state, and a `BatchRun` for each that is running."""

    def __init__(
        self,
        state: State,
        operations: Operations,
        models: ModelRegistry,
        store: ObjectStore,
        *,
        launcher: Launcher,
        log_folder: Path,
    ) -> None:
        self._state = state
        self._operations = operations
        self._models = models
        self._store = store
        self._launcher = launcher
        self._log_folder = log_folder
        self._runs: dict[str, BatchRun] = {}
        self._stopping = False

    def routes(self) -> Routes:
        """The REST methods of batch prediction jobs."""
        return {
            ("POST", "batchPredictionJobs"): self.create,
            ("GET", "batchPredictionJobs"): self.list_jobs,
            ("GET", "batchPredictionJobs/*"): self.get,
            ("POST", "batchPredictionJobs/*:cancel"): self.cancel,
            ("DELETE", "batchPredictionJobs/*"): self.delete,
        }

    def fail_interrupted(self) -> None:
        """Mark as failed the jobs that were running when the emulator was killed; they are not run again."""
        error = RpcError("INTERNAL", "The emulator ended while the job was running.").status_json()
        with self._state.changing():
            for job in self._state.jobs.values():
                if job["state"] not in _ENDED:
                    job.update({"state": "JOB_STATE_FAILED", "error": error, "endTime": now()})

    def stop(self, timeout_seconds: float) -> None:
        """Cancel the runs and wait for each up to `timeout_seconds`; new jobs are refused from now on."""
        with self._state.reading():
            self._stopping = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel()
        for run in runs:
            run.wait(timeout_seconds)

    def create(self, request: Request) -> Json:
        """Check the job and start it."""
        asked = request.body
        _refuse_unusable(asked)
        version = self._models.find(asked["model"])
        self._launcher.refuse_unusable(version.resource["containerSpec"], version.artifact_copy)
        name = f"{request.parent}/batchPredictionJobs/{new_id()}"
        moment = now()
        job = {
            **asked,
            "name": name,
            "model": version.name,
            "modelVersionId": version.resource["versionId"],
            "state": "JOB_STATE_PENDING",
            "createTime": moment,
            "updateTime": moment,
        }

        def update(fields: Json) -> None:
            with self._state.changing():
                self._state.jobs[name].update(fields, updateTime=now())
                if fields["state"] in _ENDED:
                    del self._runs[name]

        run = BatchRun(
            dict(job),
            version,
            self._store,
            launcher=self._launcher,
            log_folder=self._log_folder,
            update=update,
        )
        with self._state.changing():
            if self._stopping:
                raise RpcError("UNAVAILABLE", "The emulator is stopping.")
            self._state.jobs[name] = job
            self._runs[name] = run
            answer = dict(job)
            run.start()
        return answer

    def list_jobs(self, request: Request) -> Json:
        """The jobs of the location."""
        with self._state.reading():
            jobs = [
                dict(job)
                for name, job in self._state.jobs.items()
                if name.startswith(f"{request.parent}/batchPredictionJobs/")
            ]
        return page(jobs, request.query, collection="batchPredictionJobs", id_field="batchPredictionJob")

    def get(self, request: Request) -> Json:
        """One job."""
        with self._state.reading():
            return dict(self._find(request))

    def cancel(self, request: Request) -> Json:
        """Ask a job to end; it is CANCELLED soon. A job that has ended stays as it is."""
        with self._state.reading():
            run = self._runs.get(self._find(request)["name"])
        if run:
            run.cancel()
        return {}

    def delete(self, request: Request) -> Json:
        """Delete a job that has ended; what it wrote stays."""
        with self._state.changing():
            job = self._find(request)
            if job["state"] not in _ENDED:
                raise RpcError("FAILED_PRECONDITION", f"{job['name']} is {job['state']}; cancel it first.")
            del self._state.jobs[job["name"]]
        return self._operations.start(request.parent, "Delete", lambda: EMPTY)

    def _find(self, request: Request) -> Json:
        name = f"{request.parent}/batchPredictionJobs/{request.ids[0]}"
        if name not in self._state.jobs:
            raise not_found(name)
        return self._state.jobs[name]


def _refuse_unusable(job: Json) -> None:
    """Refuse what is wrong, and files that Vertex AI reads or writes and this emulator can't."""
    input_config, output_config = job.get("inputConfig", {}), job.get("outputConfig", {})
    for config, format_field in ((input_config, "instancesFormat"), (output_config, "predictionsFormat")):
        if config.get(format_field) != "jsonl":
            raise not_emulated(f"A {format_field} other than 'jsonl' ({config.get(format_field)!r})")
    uris = input_config.get("gcsSource", {}).get("uris", [])
    prefix = output_config.get("gcsDestination", {}).get("outputUriPrefix", "")
    batch_size = job.get("manualBatchTuningParameters", {}).get("batchSize", 0)
    rules.refuse(
        [
            *rules.display_name(job.get("displayName", "")),
            *rules.labels(job.get("labels", {})),
            *([] if job.get("model") else ["model is required."]),
            *([] if uris else ["input_config.gcs_source.uris is required."]),
            *([] if prefix else ["output_config.gcs_destination.output_uri_prefix is required."]),
            *([] if batch_size >= 0 else [f"batch_size {batch_size}: a positive number is accepted."]),
        ]
    )
    for uri in [*uris, prefix]:
        GcsUri.parse(uri)
