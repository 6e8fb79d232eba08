"""Serve one model archive with TorchServe: `python -m vertex_torchserve.serving.entrypoint`.

The one way a model is served: the images' ENTRYPOINT, the smoke test and the emulator all come through
here. Reads its settings from the environment, fetches and checks the archive, renders the
configuration, starts the JVM, hands it SIGTERM, and returns its exit code. A model that can't load
ends the process with code 1 and the first traceback as the last thing in the log.
"""

import contextlib
import ctypes
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.serving.archive import Manifest, read_manifest
from vertex_torchserve.serving.config_properties import render_config_properties
from vertex_torchserve.serving.envelope import lay_out_home
from vertex_torchserve.serving.java import java_executable
from vertex_torchserve.serving.load_watch import LoadWatch
from vertex_torchserve.serving.settings import ServingSettings

# How long requests that were accepted may take once SIGTERM came. Kubernetes waits 30 s before SIGKILL, and
# TorchServe's own stop takes two seconds of netty's quiet period behind the drain.
DRAIN_LIMIT_SECONDS = 20
STOP_GRACE_SECONDS = DRAIN_LIMIT_SECONDS + 10
_LAUNCHER = Path(__file__).with_name("java") / "vertex-torchserve.jar"
_LOG_CONFIG = Path(__file__).with_name("log4j2.xml")
_PR_SET_PDEATHSIG = 1
_LONGEST_SOCKET_PATH = 107  # unix(7): sun_path has 108 bytes, one of them the end
_LONGEST_SOCKET_NAME = len("/java/.ts.sock.65535")


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    process = _ServerProcess()
    try:
        settings = ServingSettings.from_environment(os.environ)
        if settings.exit_with_stdin:
            threading.Thread(target=_stop_when_stdin_closes, daemon=True).start()
        signal.signal(signal.SIGTERM, process.on_signal)
        signal.signal(signal.SIGINT, process.on_signal)
        with tempfile.TemporaryDirectory(prefix="vts-") as work:
            _require_short_path(Path(work))
            mar_path, manifest = fetch_archive(settings, Path(work))
            command = torchserve_command(settings, mar_path, manifest, Path(work))
            return process.run(command, Path(work))
    except VertexTorchServeError as error:
        _log(f"ERROR: {error}")
        return error.exit_code


def fetch_archive(settings: ServingSettings, work: Path) -> tuple[Path, Manifest]:
    """The archive on local disk, and its manifest; a gs:// folder is downloaded into `work`.

    Raises:
        InputError: When the folder holds no archive, several, or not the one `MODEL_NAME` names.
    """
    folder = Path(settings.storage_uri)
    if settings.storage_uri.startswith("gs://"):
        from vertex_torchserve import gcs

        folder = work / "model-store"
        gcs.download_folder(gcs.GcsPath.parse(settings.storage_uri), folder)
    archives = sorted(folder.glob("*.mar"))
    if settings.model_name is not None:
        archives = [archive for archive in archives if archive.stem == settings.model_name]
    if len(archives) != 1:
        wanted = f"{settings.model_name}.mar" if settings.model_name else "one .mar"
        found = ", ".join(sorted(path.name for path in folder.glob("*"))) or "nothing"
        raise InputError(
            Problem(
                f"{settings.storage_uri} must hold {wanted}; found: {found}",
                "put exactly one archive there, or name the one to serve with MODEL_NAME",
            )
        )
    return archives[0], read_manifest(archives[0])


def torchserve_command(
    settings: ServingSettings, mar_path: Path, manifest: Manifest, work: Path
) -> list[str]:
    """What TorchServe's own launcher would start, so that signals and exit codes are the JVM's.

    The launcher throws the exit code away and leaves the JVM behind on SIGTERM (measured.md; see
    `ts/model_server.py` for the command it builds).
    """
    site_packages = _torchserve_home()
    config = work / "config.properties"
    # The archive's own name decides the route; a copy of the file under another name changes nothing.
    config.write_text(render_config_properties(settings, manifest.model_name, mar_path))
    java_tmp = work / "java"
    java_tmp.mkdir()
    return [
        str(java_executable()),
        f"-Dmodel_server_home={lay_out_home(work / 'home', site_packages)}",
        f"-Djava.io.tmpdir={java_tmp}",
        f"-Dlog4j.configurationFile=file://{_LOG_CONFIG}",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # no files in the machine's /tmp
        f"-Dvts.drain.limit.seconds={DRAIN_LIMIT_SECONDS}",
        "-cp",
        f"{site_packages}/ts/frontend/*{os.pathsep}{_LAUNCHER}",
        # TorchServe's own main with a truthful /ping and a drain, without gRPC (docs/decisions/0003).
        "vertextorchserve.Launcher",
        "--python",
        sys.executable,
        "-f",
        str(config),
        "-s",
        str(mar_path.parent),
        "-ncs",
        "--disable-token-auth",
    ]


class _ServerProcess:
    """The JVM and the Python workers it starts, in a process group of their own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._stopping = False

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            raise SystemExit(128 + number)
        self._stop()

    def run(self, command: list[str], work: Path) -> int:
        """Start, pass the log on, wait; returns the JVM's exit code, 1 for a model that can't load."""
        watch = LoadWatch()
        load_failed = False
        self._process = subprocess.Popen(
            command,
            cwd=work,
            env=_java_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            # The only other thread sits in a read and holds no lock.
            preexec_fn=_die_with_parent(),  # noqa: PLW1509
        )
        try:
            for line in self._process.stdout or ():
                sys.stdout.write(line)
                sys.stdout.flush()
                watch.feed(line.rstrip("\n"))
                if watch.failed and not self._stopping:
                    load_failed = True
                    self._stop()
            code = self._process.wait()
        finally:
            self._kill_group()
        if load_failed:
            _log(f"ERROR: the model could not be loaded\n{watch.reason()}")
            return 1
        return code if code >= 0 else 128 - code

    def _stop(self) -> None:
        if self._stopping or self._process is None:
            return
        self._stopping = True
        self._process.terminate()
        timer = threading.Timer(STOP_GRACE_SECONDS, self._kill_group)
        timer.daemon = True
        timer.start()

    def _kill_group(self) -> None:
        """End what is left: a worker whose JVM was killed may sit in a load for ever."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _require_short_path(work: Path) -> None:
    """Workers listen on `<java.io.tmpdir>/.ts.sock.<port>`; a longer path fails far from its cause."""
    length, longest = len(os.fsencode(work)), _LONGEST_SOCKET_PATH - _LONGEST_SOCKET_NAME
    if length > longest:
        raise InputError(
            Problem(
                f"the temporary folder {work} has a path of {length} bytes; for sockets in it at most "
                f"{longest} are accepted",
                "set TMPDIR to a shorter path",
            )
        )


def _java_environment(work: Path) -> dict[str, str]:
    log_folder = str(work / "logs")
    # TS_MODEL_SERVER_HOME would beat the flag, and with it our envelope.
    inherited = {name: value for name, value in os.environ.items() if name != "TS_MODEL_SERVER_HOME"}
    return {
        **inherited,
        "LOG_LOCATION": log_folder,
        "METRICS_LOCATION": log_folder,
        # pip's output goes into a pipe that TorchServe reads only after pip has ended.
        "PIP_PROGRESS_BAR": "off",
        "PYTHONUNBUFFERED": "1",
    }


def _torchserve_home() -> Path:
    spec = importlib.util.find_spec("ts")
    if spec is None or spec.origin is None:
        raise InputError(
            Problem(
                "TorchServe is not installed in this Python", "pip install 'vertex-torchserve[torchserve]'"
            )
        )
    return Path(spec.origin).parents[1]


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, what makes the kernel end the JVM when this process is killed with SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return set_death_signal


def _stop_when_stdin_closes() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _log(text: str) -> None:
    print(text, flush=True)  # noqa: T201 (the container's log is its standard output)


if __name__ == "__main__":
    sys.exit(main())
