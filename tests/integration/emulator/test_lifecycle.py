"""Starting, stopping and starting again, in process and as the command."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psutil
import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import JobState

from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from tests.commands import COMMAND
from tests.documents import blocks
from tests.emulator_command import EmulatorCommand, running
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.errors import InputError

Upload = Callable[..., aiplatform.Model]
MACHINE = "n1-standard-4"


def command(temporary: Path, *arguments: str) -> AbstractContextManager[EmulatorCommand]:
    """The command with a TMPDIR of its own."""
    return running([COMMAND, "emulator", *arguments], environment={**os.environ, "TMPDIR": str(temporary)})


def test_the_documentations_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("docs/emulator.md", "python")
    subprocess.run([sys.executable, "-c", example], check=True, timeout=PROGRAM_SECONDS, cwd=tmp_path)


def test_everything_survives_a_restart(
    tmp_path: Path,
    upload: Upload,
    sdk: Callable[[str], None],
    fill: Callable[[str], None],
    servers: Callable[[], set[psutil.Process]],
) -> None:
    folder = tmp_path / "new" / "state"
    with Emulator.start(folder, buckets=["models"]) as first:
        sdk(first.vertex_host)
        fill(first.storage_host)
        model = upload(model_id="kept", labels={"a": "b"})
        upload(parent_model="kept", is_default_version=False, version_aliases=["golden"])
        endpoint = aiplatform.Endpoint.create(display_name="kept")
        endpoint.deploy(aiplatform.Model("kept@golden"), machine_type=MACHINE)
        deployed = endpoint.predict([1]).deployed_model_id
        with pytest.raises(RuntimeError):
            model.batch_predict(
                job_display_name="kept",
                instances_format="jsonl",
                gcs_source="gs://models/missing.jsonl",
                gcs_destination_prefix="gs://models/out",
                machine_type=MACHINE,
            )
    first.stop()
    assert servers() == set()

    with Emulator.start(folder) as second:
        sdk(second.vertex_host)
        kept = aiplatform.Model("kept@golden")
        assert (kept.version_id, kept.resource_name) == ("2", model.resource_name)
        assert aiplatform.Model("kept").labels == {"a": "b"}
        (job,) = aiplatform.BatchPredictionJob.list()
        assert job.state == JobState.JOB_STATE_FAILED
        (again,) = aiplatform.Endpoint.list()
        answer = again.predict([1])
        assert (answer.predictions, answer.deployed_model_id) == ([{"echo": 1.0}], deployed)
        assert upload(parent_model="kept").version_id == "3"
    assert servers() == set()


def test_a_folder_serves_one_emulator_at_a_time(tmp_path: Path) -> None:
    with Emulator.start(tmp_path), pytest.raises(InputError, match="in use by another emulator"):
        Emulator.start(tmp_path)
    with Emulator.start(tmp_path):
        pass


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "vertex.json").write_text("{}")
    with pytest.raises(InputError, match=r"vertex\.json is not the state"):
        Emulator.start(tmp_path)
    assert (tmp_path / "vertex.json").read_text() == "{}"
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't be used"):
        Emulator.start(tmp_path / "file")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "localhost", ""])
def test_only_loopback_is_bound(host: str) -> None:
    with pytest.raises(InputError, match="is not an IPv4 loopback address"):
        Emulator.start(host=host)


def test_ports_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"storage_port {port} can't be had"):
            Emulator.start(tmp_path, storage_port=port)
        with pytest.raises(InputError, match=f"vertex_port {port} can't be had"):
            Emulator.start(tmp_path, vertex_port=port)
    with pytest.raises(InputError) as refusal:
        Emulator.start(storage_port=-1, vertex_port=70000)
    assert len(refusal.value.problems) == 2


def test_a_name_that_no_bucket_can_have_is_refused() -> None:
    with pytest.raises(InputError, match="'b' is not a bucket's name"):
        Emulator.start(buckets=["models", "b"])


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_is_and_ends_clean(tmp_path: Path, ending: signal.Signals) -> None:
    with command(tmp_path, "--bucket", "one", "--bucket", "two") as emulator:
        assert list(emulator.environment) == ["STORAGE_EMULATOR_HOST", "VERTEX_AI_EMULATOR_HOST"]
        assert all(url.startswith("http://127.0.0.1:") for url in emulator.environment.values())
        storage_host = emulator.environment["STORAGE_EMULATOR_HOST"]
        buckets = httpx.get(f"{storage_host}/storage/v1/b", timeout=ANSWER_SECONDS).json()["items"]
        assert {"one", "two"} <= {bucket["name"] for bucket in buckets}
        rest, errors = emulator.end(ending)
    assert emulator.process.returncode == 0, errors
    assert rest == ""
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_what_ran_when_it_was_killed_has_failed(
    tmp_path: Path, upload: Upload, sdk: Callable[[str], None], fill: Callable[[str], None]
) -> None:
    folder = tmp_path / "state"
    with command(tmp_path, "--data-dir", str(folder), "--bucket", "models") as emulator:
        process, environment = emulator.process, emulator.environment
        sdk(environment["VERTEX_AI_EMULATOR_HOST"])
        fill(environment["STORAGE_EMULATOR_HOST"])
        upload(model_id="kept")
        httpx.post(
            f"{environment['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/models/o",
            params={"uploadType": "media", "name": "in.jsonl"},
            content=b"1",
            timeout=ANSWER_SECONDS,
        )
        parent = f"{environment['VERTEX_AI_EMULATOR_HOST']}/v1/projects/my-project/locations/us-central1"
        asked = {
            "displayName": "killed",
            "model": "projects/my-project/locations/us-central1/models/kept",
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://models/in.jsonl"]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": "gs://models/out"},
            },
        }
        name = httpx.post(f"{parent}/batchPredictionJobs", json=asked, timeout=ANSWER_SECONDS).json()["name"]
        # The entrypoint and its JVM at least: killed before them, the emulator must not leave them behind.
        wait_until(
            lambda: len(psutil.Process(process.pid).children(recursive=True)) > 1,
            READY_SECONDS,
            "the model server starts its JVM",
        )
        left_behind = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        wait_until(
            lambda: not any(child.is_running() for child in left_behind), STOP_SECONDS, "every process ended"
        )
    with Emulator.start(folder) as again:
        sdk(again.vertex_host)
        killed = aiplatform.BatchPredictionJob(name)
        assert killed.state == JobState.JOB_STATE_FAILED
        assert killed.error.message == "The emulator ended while the job was running."
