"""`serve`: a model is served, asked as the printed line says, and served anew when it changes."""

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import PROGRAM_SECONDS, READY_SECONDS
from testbed.processes import private_folders, wait_until
from testbed.tiny_models import make
from tests.commands import run_command
from tests.serve_command import serving
from vertex_torchserve.errors import InputError
from vertex_torchserve.local_service.example import ServedModel
from vertex_torchserve.local_service.serving import require_port
from vertex_torchserve.local_service.source import Source
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A TMPDIR whose path leaves room for the names of sockets, wherever pytest has its own folders."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def test_a_folder_is_packaged_served_and_served_anew(tmp_path: Path, short_folder: Path) -> None:
    handler = tmp_path / "model" / "handler.py"
    handler.parent.mkdir()
    handler.write_text("def handle(:\n")
    (tmp_path / "model" / "golden-request.json").write_text(json.dumps({"instances": ["it's me"]}))
    (port,) = free_ports(1)
    options = ("--reload", "--playground", "--port", str(port))
    run = short_folder / "run"
    with serving(run, str(handler.parent), *options) as served:
        assert "handler.py" in served.wait("not served: ")
        handler.write_text(ECHO_HANDLER)
        wait_until(lambda: private_folders(run) != [], PROGRAM_SECONDS, "it is being packaged")
        # What is written while the change before is being packaged and loaded is not lost.
        handler.write_text(ECHO_HANDLER.replace('"echo"', '"heard"'))
        served.wait("changed: ", 2)
        line = f"curl {served.wait('curl ')}"
        assert f" http://127.0.0.1:{port}/predictions/model " in line
        wait_until(lambda: served.answer(line) == [{"heard": "it's me"}], READY_SECONDS, "it is served")
        assert '"instance": "it\'s me"' in httpx.get(served.wait("playground: ")).text
        # Each change is served once, and nothing is written by serving it.
        assert len(served.lines("changed: ")) == 2


def test_the_line_of_a_model_without_golden_request_asks_what_its_task_answers(tmp_path: Path) -> None:
    mar = Source(make("text-classification", tmp_path / "model")).archive(tmp_path)
    model = ServedModel.of(ServingPlan.of(mar, ContainerSpec("")), "http://127.0.0.1:8080")
    assert model.task == "text-classification"
    assert model.curl() == (
        "curl http://127.0.0.1:8080/predictions/model -H 'Content-Type: application/json' "
        """-d '{"instances": ["good movie"]}'"""
    )


@pytest.mark.parametrize(
    ("make_model", "arguments", "said"),
    [
        (lambda folder: folder / "gone.mar", (), "gone.mar"),
        (write_archive, ("--task", "summarization"), "which is no folder"),
        (lambda folder: folder, (), "holds no handler.py, and no config.json of a Hugging Face model"),
    ],
)
def test_bad_input(tmp_path: Path, make_model: Any, arguments: tuple[str, ...], said: str) -> None:
    (port,) = free_ports(1)
    run = run_command("serve", str(make_model(tmp_path)), "--port", str(port), *arguments)
    assert run.returncode == 2, run.stderr
    assert said in run.stderr


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError) as caught:
        require_port(taken.getsockname()[1])
    assert caught.value.fix == "choose another with --port"
