"""Serve one model archive with TorchServe: `python -m vertex_torchserve.serving.entrypoint`.

The one way a model is served: the images' ENTRYPOINT, the smoke test and the emulator all start this
program. It reads its settings from the environment, listens at once, fetches and checks the archive, writes
the configuration, starts the JVM, leaves it the port, passes SIGTERM on, and returns its exit code. A model
that can't load ends the process with code 1 and the cause as the last thing in the log.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError
from vertex_torchserve.serving.api_description import write_api_description
from vertex_torchserve.serving.archive.golden_request import read_golden_requests
from vertex_torchserve.serving.archive.model_config import read_model_config
from vertex_torchserve.serving.fetching import fetch_in_child
from vertex_torchserve.serving.health.early_listener import EarlyListener
from vertex_torchserve.serving.health.ready_check import ReadyCheck, ready_file
from vertex_torchserve.serving.log.writer import LogWriter, log_to
from vertex_torchserve.serving.machine.gpus import require_accelerator, visible_devices
from vertex_torchserve.serving.machine.limits import Machine
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import LOG_FORMAT, ServingSettings
from vertex_torchserve.serving.torchserve.jvm_command import jvm_environment, torchserve_command
from vertex_torchserve.serving.torchserve.jvm_process import ServerProcess
from vertex_torchserve.serving.torchserve.model_config_file import write_model_config
from vertex_torchserve.serving.torchserve.requirements import plan_installation

logger = logging.getLogger("vertex_torchserve.serving.entrypoint")  # run as __main__

_LONGEST_SOCKET_PATH = 107  # unix(7): sun_path has 108 bytes, one of them the end
_LONGEST_SOCKET_NAME = len("/java/.ts.sock.65535")


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    writer = LogWriter(os.environ.get(LOG_FORMAT, ""))
    log_to(writer)
    process = ServerProcess(writer)
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
        logger.error("%s", error)
        return error.exit_code
    except Exception:
        logger.exception("the server ended by an unexpected exception")
        return 1


def _serve(settings: ServingSettings, process: ServerProcess, work: Path) -> int:
    with EarlyListener(settings.http_host, settings.http_port, "the archive is being fetched") as listener:
        require_accelerator(settings.accelerator, os.environ)
        devices = visible_devices(os.environ)
        model = fetch_in_child(work / "model-store" / "model", work)
        logger.info("unpacked %s: %d bytes", model.origin, model.unpacked_bytes)
        golden = read_golden_requests(model.path, model.manifest.model_name)
        if settings.golden_request == "ignore":
            golden = []
        config = read_model_config(model)
        sizing = Sizing.of(Machine.here(), model.unpacked_bytes, settings, config)
        logger.info(
            "serving with %d workers of %d threads, batches of %d",
            sizing.workers, sizing.threads, sizing.batch_size,
        )  # fmt: skip
        write_model_config(model, config, settings, sizing)
        installation = plan_installation(model, settings, work, os.environ)
        envelope = config.envelope or settings.envelope
        command = torchserve_command(settings, sizing, model, envelope, work)
        environment = {**jvm_environment(work, sizing), **devices}
        listener.reason = "TorchServe is being started"
        if installation:
            environment |= installation.environment
            listener.reason = "the model's requirements are being installed"
        check = ReadyCheck(
            settings,
            model.manifest.model_name,
            golden,
            ready_file(work),
            before_ready=lambda: write_api_description(work, settings, model.manifest, envelope),
        )
        return process.run(
            command,
            environment,
            work,
            on_listening=listener.close,
            make_ready=check.run,
            installation=installation,
        )


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
