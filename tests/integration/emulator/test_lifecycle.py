"""Starting, stopping and starting again, in process and as the command."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import JobState

from vertex_torchserve.emulator import Emulator
from vertex_torchserve.errors import InputError

Upload = Callable[..., aiplatform.Model]
MACHINE = "n1-standard-4"
# The command, whatever else is registered beside it.
PROGRAM = "import typer; from vertex_torchserve.cli.emulator import emulator; typer.run(emulator)"
SECONDS = 60


@contextmanager
def command(temporary: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command as a process of its own, and the environment it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(2)]
            yield process, dict(line.split("=", 1) for line in lines)
        finally:
            process.kill()


def test_the_documentations_example_runs(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "emulator.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", example], check=True, timeout=SECONDS, cwd=tmp_path)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


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
    with command(tmp_path, "--bucket", "one", "--bucket", "two") as (process, environment):
        assert sorted(environment) == ["STORAGE_EMULATOR_HOST", "VERTEX_AI_EMULATOR_HOST"]
        assert all(url.startswith("http://127.0.0.1:") for url in environment.values())
        buckets = httpx.get(f"{environment['STORAGE_EMULATOR_HOST']}/storage/v1/b").json()["items"]
        assert {"one", "two"} <= {bucket["name"] for bucket in buckets}
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert rest == ""
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_what_ran_when_it_was_killed_has_failed(
    tmp_path: Path, upload: Upload, sdk: Callable[[str], None], fill: Callable[[str], None]
) -> None:
    folder = tmp_path / "state"
    with command(tmp_path, "--data-dir", str(folder), "--bucket", "models") as (process, environment):
        sdk(environment["VERTEX_AI_EMULATOR_HOST"])
        fill(environment["STORAGE_EMULATOR_HOST"])
        upload(model_id="kept")
        httpx.post(
            f"{environment['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/models/o",
            params={"uploadType": "media", "name": "in.jsonl"},
            content=b"1",
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
        name = httpx.post(f"{parent}/batchPredictionJobs", json=asked).json()["name"]
        # The entrypoint and its JVM at least: killed before them, the emulator must not leave them behind.
        wait_until(lambda: len(psutil.Process(process.pid).children(recursive=True)) > 1)
        left_behind = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        wait_until(lambda: not any(child.is_running() for child in left_behind))
    with Emulator.start(folder) as again:
        sdk(again.vertex_host)
        killed = aiplatform.BatchPredictionJob(name)
        assert killed.state == JobState.JOB_STATE_FAILED
        assert killed.error.message == "The emulator ended while the job was running."
