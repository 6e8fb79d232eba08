"""Serve one model archive with TorchServe: `python -m vertex_torchserve.serving.entrypoint`.

The one way a model is served: the images' ENTRYPOINT, the smoke test and the emulator all come through
here. Reads its settings from the environment, listens at once, fetches and checks the archive, renders
the configuration, starts the JVM, hands it the port and SIGTERM, and returns its exit code. A model that
can't load ends the process with code 1 and the first traceback as the last thing in the log.
"""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.serving.archive import unpacked_bytes
from vertex_torchserve.serving.early_listener import EarlyListener
from vertex_torchserve.serving.gpus import require_accelerator, visible_devices
from vertex_torchserve.serving.jvm_command import jvm_environment, torchserve_command
from vertex_torchserve.serving.machine import Machine
from vertex_torchserve.serving.model_config import read_model_config
from vertex_torchserve.serving.model_store import fetch_archive
from vertex_torchserve.serving.server_process import ServerProcess
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.sizing import Sizing

_LONGEST_SOCKET_PATH = 107  # unix(7): sun_path has 108 bytes, one of them the end
_LONGEST_SOCKET_NAME = len("/java/.ts.sock.65535")


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    process = ServerProcess()
    try:
        settings = ServingSettings.from_environment(os.environ)
        if settings.exit_with_stdin:
            threading.Thread(target=_stop_when_stdin_closes, daemon=True).start()
        signal.signal(signal.SIGTERM, process.on_signal)
        signal.signal(signal.SIGINT, process.on_signal)
        with tempfile.TemporaryDirectory(prefix="vts-") as work:
            _require_short_path(Path(work))
            return _serve(settings, process, Path(work))
    except VertexTorchServeError as error:
        print(f"ERROR: {error}", flush=True)  # noqa: T201 (the container's log is its standard output)
        return error.exit_code


def _serve(settings: ServingSettings, process: ServerProcess, work: Path) -> int:
    with EarlyListener(settings.http_host, settings.http_port, "the archive is being fetched") as listener:
        require_accelerator(settings.accelerator, os.environ)
        devices = visible_devices(os.environ)
        mar_path, manifest = fetch_archive(settings, work)
        sizing = Sizing.of(
            Machine.here(), unpacked_bytes(mar_path), settings, read_model_config(mar_path, manifest)
        )
        command = torchserve_command(settings, sizing, mar_path, manifest, work)
        listener.reason = "the archive is being unpacked and its requirements installed"
        environment = {**jvm_environment(work, sizing.threads), **devices}
        return process.run(command, environment, work, on_listening=listener.close)


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


def _stop_when_stdin_closes() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
