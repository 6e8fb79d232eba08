"""Other servers of sentence embeddings, each in a virtual environment of its own.

What each environment holds stands in peers/<name>/requirements.txt, and beside it the program that serves,
where the peer is a library and not a server.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks.client_load import Protocol
from benchmarks.contenders import MINILM, POLL_SECONDS, ROOT, ask
from benchmarks.published import Versions, installed_versions
from vertex_torchserve.serving.ports import free_ports

FOLDER = Path(__file__).with_name("peers")
TOOLKIT = "huggingface-inference-toolkit"
# It is on no package index, and 0.5.6 has no tag: this commit calls itself so.
TOOLKIT_SOURCE = "git+https://github.com/huggingface/huggingface-inference-toolkit@833b5a2efd70c4e2c6a275c5866a0b82f3fc3e93"
READY_SECONDS = 180.0
STOP_SECONDS = 10.0
INSTALL_SECONDS = 3600


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        name: Of the peer, its folder under peers/, and its distribution.
        version: Of the peer.
        distribution: Its package, where that isn't called as it is.
        libraries: What it works with, whose versions are told too.
    """

    name: str
    version: str
    distribution: str
    libraries: tuple[str, ...] = ("torch", "transformers")

    def versions(self, venvs: Path) -> Versions:
        """What is installed in it."""
        return installed_versions(venvs / self.name / "bin" / "python", (self.distribution, *self.libraries))

    def prepare(self, venvs: Path, toolkit_source: str) -> None:
        """Make it, where it is not there yet.

        Raises:
            SystemExit: When it is there and holds another version.
        """
        folder = venvs / self.name
        if not folder.exists():
            self._make(folder, toolkit_source)
        found = self.versions(venvs)[self.distribution]
        if found != self.version:
            raise SystemExit(f"{folder} has {self.distribution} {found}, not {self.version}: remove it")

    def _make(self, folder: Path, toolkit_source: str) -> None:
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        commands: list[Sequence[str | Path]] = [
            [sys.executable, "-m", "venv", folder],
            [*pip, "--requirement", FOLDER / self.name / "requirements.txt"],
        ]
        if self.name == TOOLKIT:
            commands.append([*pip, "--no-deps", toolkit_source])
        try:
            for command in commands:
                subprocess.run(command, stdout=sys.stderr, check=True, timeout=INSTALL_SECONDS)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half an environment would be taken for a whole one
            raise


LITSERVE = Environment("litserve", "0.2.19", "litserve")
INFINITY = Environment("infinity", "0.0.78", "infinity-emb")
HF_TOOLKIT = Environment(TOOLKIT, "0.5.6", TOOLKIT)
ENVIRONMENTS = (LITSERVE, INFINITY, HF_TOOLKIT)


@dataclass(frozen=True)
class Peer:
    """One way to run one of them.

    Attributes:
        name: Shown; begins with the environment's.
        environment: Where it is installed.
        protocol: How it is asked.
        command: Its arguments, after the environment's folder and the port are known.
        variables: Its environment variables.
        setting: What it is set to, in words.
    """

    name: str
    environment: Environment
    protocol: Protocol
    command: Callable[[Path, int], Sequence[str | Path]]
    setting: str
    variables: Mapping[str, str] = field(default_factory=dict)


def onnx_model(venvs: Path) -> Path:
    """The model's folder with an ONNX file; lies beside the environments."""
    return venvs / "minilm-onnx"


def write_onnx_model(archive: Path, venvs: Path) -> Path:
    """Make that folder, with the ONNX file of an archive of ours; returns the file."""
    folder = onnx_model(venvs)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(MINILM, folder)
    with zipfile.ZipFile(archive) as members:
        (folder / "model.onnx").write_bytes(members.read("onnx/model.onnx"))
    return folder / "model.onnx"


def _litserve(workers: int, queue: str = "default", engine: str = "torch") -> Peer:
    threads = max(1, (os.cpu_count() or 1) // workers)
    server = FOLDER / "litserve" / "server.py"
    return Peer(
        f"litserve, {workers} x {threads}"
        + (", fast queue" if queue == "fast" else "")
        + (", onnxruntime" if engine == "onnxruntime" else ""),
        LITSERVE,
        Protocol("/predict", "texts", lambda answer: answer["vectors"]),
        lambda venv, port: [
            venv / "bin" / "python", server, onnx_model(venv.parent), str(port), str(workers), queue, engine,
        ],
        f"max_batch_size=32, batch_timeout=0.005, workers_per_device={workers}, "
        f"fast_queue={queue == 'fast'}, OMP_NUM_THREADS={threads}, {engine}",
        {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def _infinity(engine: str, compiled: str) -> Peer:
    options = (
        "--engine", engine, "--device", "cpu", "--dtype", "float32", "--batch-size", "32",
        "--no-vector-disk-cache", compiled,
        # By itself it takes the first token's vector of an ONNX file; this model is trained for the mean.
        *(("--pooling-method", "mean") if engine == "optimum" else ()),
    )  # fmt: skip
    setting = "onnxruntime" if engine == "optimum" else compiled.strip("-").replace("-", " ")
    return Peer(
        f"infinity, {setting}",
        INFINITY,
        Protocol(
            "/embeddings",
            "input",
            lambda answer: [one["embedding"] for one in answer["data"]],
            {"model": "minilm"},
        ),
        lambda venv, port: [
            # In the folder: it looks for an ONNX file by a path, where optimum 2 knows names alone.
            "env", "--chdir", onnx_model(venv.parent), venv / "bin" / "infinity_emb", "v2", "--model-id", ".",
            "--served-model-name", "minilm", *options,
            "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
        ],
        " ".join(options),
        {"INFINITY_ANONYMOUS_USAGE_STATS": "0"},
    )  # fmt: skip


PEERS = (
    _litserve(1),
    _litserve(2),
    _litserve(2, "fast"),
    _litserve(1, engine="onnxruntime"),
    _litserve(2, engine="onnxruntime"),
    _infinity("torch", "--compile"),
    _infinity("torch", "--no-compile"),
    _infinity("optimum", "--no-compile"),
    Peer(
        TOOLKIT,
        HF_TOOLKIT,
        Protocol("/predict", "inputs", lambda answer: answer["embeddings"]),
        lambda venv, port: [
            venv / "bin" / "uvicorn", "huggingface_inference_toolkit.webservice_starlette:app",
            "--host", "127.0.0.1", "--port", str(port),
        ],
        "HF_TASK=sentence-embeddings, as its entrypoint starts it",
        {"HF_TASK": "sentence-embeddings", "HF_MODEL_DIR": str(MINILM)},
    ),
)  # fmt: skip


class PeerServer:
    """A peer that runs, until the end of its context; it stands still while another is measured.

    Args:
        peer: What to run.
        venvs: Where the environments are.
    """

    def __init__(self, peer: Peer, venvs: Path) -> None:
        self.port = free_ports(1)[0]
        self._peer = peer
        self._scratch = tempfile.TemporaryDirectory(prefix="peer-")
        folder = Path(self._scratch.name)
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                peer.command(venvs / peer.environment.name, self.port),
                env={**os.environ, "HF_HUB_OFFLINE": "1", **peer.variables},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Until it answers a text.

        Raises:
            SystemExit: When it ended, or didn't in time; the log's end is shown.
        """
        protocol = self._peer.protocol
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if ask(self.port, protocol.path, protocol.body(["a text"]), seconds=READY_SECONDS).status == 200:
                return
            time.sleep(POLL_SECONDS)
        sys.stderr.write(self._log.read_text(errors="replace")[-4000:])
        raise SystemExit(f"{self._peer.name} answered nothing; its exit code: {self._process.poll()}")

    def pause(self) -> None:
        """Let it stand still: idle servers that poll would take from the one that is measured."""
        self._signal(signal.SIGSTOP)

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for a while."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.pause()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def __enter__(self) -> "PeerServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._scratch.cleanup()
