"""A real TorchServe, started and ended in every way there is."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.archives import HANDLED_BEFORE, write_archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.processes import private_folders, serving_processes, wait_until
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.java_libraries.class_path import libraries_folders
from vertex_torchserve.serving.local_server import ServingProcess

SLOW_HANDLER = """\
import time


def handle(data, context):
    if data is not None:
        print("the request is here")
        time.sleep(2)
    return data
"""


@pytest.fixture
def private_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short TMPDIR of the test's own, by which every process of its server can be known."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)
        wait_until(lambda: not serving_processes(folder), STOP_SECONDS, "every process ended")
        assert private_folders(Path(folder)) == []


def predict(server: ServingProcess, model: str, *instances: Any) -> httpx.Response:
    url = f"{server.base_url}/predictions/{model}"
    return httpx.post(url, json={"instances": instances}, timeout=ANSWER_SECONDS)


def test_serves_until_it_is_stopped(tmp_path: Path, private_tmp: Path) -> None:
    mar, classes = write_archive(tmp_path), tmp_path / "classes"
    options = {"JAVA_TOOL_OPTIONS": f"-Xlog:class+load:file={classes}"}
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), **options}) as server:
        assert not server.is_ready()
        assert server.wait_ready(READY_SECONDS) > 0
        answer = predict(server, "model", "a", {"b": 1})
        assert (answer.status_code, answer.json()) == (
            200,
            {"predictions": [{"echo": "a"}, {"echo": {"b": 1}}]},
        )
        assert len(serving_processes(str(private_tmp))) >= 3
        assert server.stop() == 143
        assert server.stop() == 143
    assert mar.is_file()
    loaded = classes.read_text().splitlines()
    archived = [line for line in loaded if "shared objects file" in line]
    if any(folder.glob("*.jsa") for folder in libraries_folders() if folder.is_dir()):
        assert len(archived) > 0.9 * len(loaded), "the list of classes is old: make java-classes"


def test_ping_tells_the_truth_and_a_stop_answers_what_was_accepted(tmp_path: Path, private_tmp: Path) -> None:
    write_archive(tmp_path, SLOW_HANDLER)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        seen = []

        def pinged() -> bool:
            with contextlib.suppress(httpx.TransportError):
                status = httpx.get(f"{server.base_url}/ping", timeout=ANSWER_SECONDS).status_code
                seen.append((status, server.is_ready()))
            return bool(seen) and seen[-1][0] == 200

        wait_until(pinged, READY_SECONDS, "/ping is 200")
        assert {status for status, _ in seen} == {503, 200}
        assert seen[-1] == (200, True)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(predict, server, "model", 1)
            begun = "the request is here"
            wait_until(lambda: begun in server.log_tail(), MOMENT_SECONDS, "the worker has it")
            assert server.stop() == 143
        assert answer.result().json() == {"predictions": [1]}


WITHOUT_ITS_LABELS = """\
class Handler:
    def initialize(self, context):
        try:
            open("labels.json")
        except OSError as error:
            raise RuntimeError("labels.json is missing: add it") from error

    def handle(self, data, context):
        return data
"""


def test_a_handler_that_can_not_load_ends_it_with_all_of_its_exceptions(
    tmp_path: Path, private_tmp: Path
) -> None:
    write_archive(tmp_path, HANDLED_BEFORE + WITHOUT_ITS_LABELS)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        with pytest.raises(ServingError) as caught:
            server.wait_ready(READY_SECONDS)
        assert server.stop() == 1
    assert "ended with code 1 before the model was ready" in caught.value.message
    told = caught.value.message.rstrip()
    assert told.endswith("\nRuntimeError: labels.json is missing: add it")
    assert "\nFileNotFoundError: [Errno 2] No such file or directory: 'labels.json'\n" in told
    assert "Traceback (most recent call last):" in told
    assert "not_there" not in told


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"AIP_STORAGE_URI": "{folder}", "MODEL_NAME": "other"},
            "must hold other.mar, as MODEL_NAME says; found: model.mar",
        ),
        ({"AIP_STORAGE_URI": "{folder}/none"}, "must hold one .mar; found: nothing"),
    ],
)
def test_a_bad_environment_ends_it_with_2(
    tmp_path: Path, private_tmp: Path, environment: dict[str, str], expected: str
) -> None:
    write_archive(tmp_path)
    environment = {name: value.format(folder=tmp_path) for name, value in environment.items()}
    with ServingProcess(environment) as server:
        with pytest.raises(ServingError, match="ended with code 2") as caught:
            server.wait_ready(READY_SECONDS)
    assert expected in caught.value.message


def test_a_temporary_folder_too_deep_for_sockets_ends_it_with_2(tmp_path: Path) -> None:
    write_archive(tmp_path)
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), "TMPDIR": str(deep)}) as server:
        with pytest.raises(ServingError, match="set TMPDIR to a shorter path"):
            server.wait_ready(READY_SECONDS)


def test_an_archive_that_is_not_one_ends_it_with_2(tmp_path: Path, private_tmp: Path) -> None:
    (tmp_path / "model.mar").write_text("not a zip")
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        with pytest.raises(ServingError, match="is not a model archive"):
            server.wait_ready(READY_SECONDS)


def test_an_accelerator_that_torch_can_not_use_ends_it_with_1(tmp_path: Path, private_tmp: Path) -> None:
    write_archive(tmp_path)
    hidden = {"CUDA_VISIBLE_DEVICES": "-1", "AIP_ACCELERATOR_TYPE": "NVIDIA_TESLA_T4"}
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), **hidden}) as server:
        with pytest.raises(ServingError, match="AIP_ACCELERATOR_TYPE='NVIDIA_TESLA_T4'"):
            server.wait_ready(READY_SECONDS)
        assert server.stop() == 1


def test_the_model_name_picks_one_of_several_archives(tmp_path: Path, private_tmp: Path) -> None:
    write_archive(tmp_path, modelName="second").rename(tmp_path / "second.mar")
    write_archive(tmp_path)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), "MODEL_NAME": "second"}) as server:
        server.wait_ready(READY_SECONDS)
        assert predict(server, "second", 1).status_code == 200
        assert predict(server, "model", 1).status_code == 404


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_started_it(
    tmp_path: Path, private_tmp: Path, number: signal.Signals
) -> None:
    write_archive(tmp_path)
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it\n"
        "from vertex_torchserve.serving.local_server import ServingProcess\n"
        "server = ServingProcess({'AIP_STORAGE_URI': sys.argv[1]})\n"
        f"server.wait_ready({READY_SECONDS})\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.send_signal(number)
        parent.wait(STOP_SECONDS)
    wait_until(lambda: not serving_processes(str(private_tmp)), STOP_SECONDS, "the server ended")
    # The dead parent could not remove the log it had asked for.
    for log in private_tmp.glob("vts-*.log"):
        log.unlink()


def test_workers_and_jvm_end_when_the_entrypoint_is_killed(tmp_path: Path, private_tmp: Path) -> None:
    write_archive(tmp_path)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path)}) as server:
        server.wait_ready(READY_SECONDS)
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not serving_processes(str(private_tmp)), STOP_SECONDS, "the server ended")
        assert not server.is_ready()
    # Killed like that it could not remove its folder.
    for folder in private_tmp.glob("vts-*"):
        subprocess.run(["rm", "-r", str(folder)], check=True)
