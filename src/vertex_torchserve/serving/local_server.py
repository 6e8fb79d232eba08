"""Serve an archive on this machine with no Docker: `serving/entrypoint.py` as a child process."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.health.readiness import is_healthy
from vertex_torchserve.serving.log.findings import failure_reason, last_error
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving.settings import EXIT_WITH_STDIN, LOG_FORMAT

_POLL_SECONDS = 0.1
_MACHINE_VARIABLES = {
    "PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ",
    "LD_LIBRARY_PATH", "JAVA_HOME", "CUDA_VISIBLE_DEVICES",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    # Where the archive of a gs:// folder is, and who may read it.
    "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
    "GCE_METADATA_HOST",
}  # fmt: skip
_MACHINE_PREFIXES = ("LC_", "XDG_", "PYTHON", "NVIDIA_", "CLOUDSDK_", "PIP_")


class ServingProcess:
    """One TorchServe serving one archive on loopback, until `stop`.

    Starting returns at once; use `wait_ready`. As a context manager it stops on exit. The process and
    everything it started also end when this Python process dies, however it dies.

    Args:
        environment: The container's environment: `AIP_STORAGE_URI` (a gs:// folder or a local folder
            that holds the .mar), and whatever else the container spec and the platform set
            (`MODEL_NAME`, `AIP_*`, ...). `AIP_HTTP_PORT` is replaced by `port`. Laid over
            `machine_environment`.
        log_path: Where its output goes; a private temporary file when None.
        python: The interpreter that serves, which must have this package; the one that runs this when None.
        port: Where predictions are answered; a free one when None.

    Attributes:
        base_url: Where predictions are answered.
        started_at: When its process was started.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log_path: Path | None = None,
        python: Path | None = None,
        port: int | None = None,
    ) -> None:
        free, management, metrics = free_ports(3)
        http = port or free
        self.base_url = f"http://127.0.0.1:{http}"
        self._own_log = log_path is None
        self._log_path = log_path or _temporary_log()
        self.started_at = datetime.now(UTC)
        self._started = time.monotonic()
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python or sys.executable), "-m", "vertex_torchserve.serving.entrypoint"],
                env={
                    **machine_environment(),
                    **environment,
                    "AIP_HTTP_PORT": str(http),
                    "VTS_MANAGEMENT_PORT": str(management),
                    "VTS_METRICS_PORT": str(metrics),
                    # For people, and for `failure_reason`.
                    LOG_FORMAT: "text",
                    EXIT_WITH_STDIN: "1",
                },
                # Nothing is ever written: the child ends when this end of the pipe is closed, be it by
                # `stop` or by the death of this process.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the entrypoint."""
        return self._process.pid

    def is_ready(self) -> bool:
        """Whether `/ping` is 200: every worker has loaded its model, and the golden request was answered."""
        return self._process.poll() is None and is_healthy(self.base_url)

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until ready.

        Raises:
            ServingError: When it ended, could not load the model, or was not ready in time; the
                message carries the last error of the log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self.is_ready():
            if self._process.poll() is not None:
                raise ServingError(
                    f"the server ended with code {self._process.returncode} before the model was ready:\n"
                    f"{last_error(self.log()) or self.log_tail()}",
                    "correct what the last line says and package the model again",
                )
            if time.monotonic() > deadline:
                raise ServingError(
                    f"the model was not ready after {timeout_seconds:g} s; the log ends:\n{self.log_tail()}",
                    "give it more time, or look for what it waits for in the log",
                )
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - self._started

    def exit_code(self) -> int | None:
        """Of the process; None while it runs."""
        return self._process.poll()

    def log(self) -> str:
        """All of its output so far."""
        return self._log_path.read_text(errors="replace")

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output."""
        return "\n".join(self.log().splitlines()[-lines:])

    def failure_reason(self, request_id: str) -> str:
        """Why the request with this `x-request-id` failed, by its output; empty when nothing says so."""
        return failure_reason(self.log, request_id)

    def stop(self, timeout_seconds: float = 45.0) -> int:
        """End it and everything it started; returns its exit code. Stopping twice is fine.

        Args:
            timeout_seconds: After this the process is killed; its JVM then ends by itself.
        """
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._own_log:
            self._log_path.unlink(missing_ok=True)
        return self._process.returncode

    def __enter__(self) -> "ServingProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _temporary_log() -> Path:
    with tempfile.NamedTemporaryFile(prefix="vts-", suffix=".log", delete=False) as file:
        return Path(file.name)


def machine_environment() -> dict[str, str]:
    """The variables of this process that say where things lie on this machine, and no others.

    A handler must not find one here that its container will not have.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name in _MACHINE_VARIABLES
        or name.startswith(_MACHINE_PREFIXES)
        or name.lower() in {"http_proxy", "https_proxy", "no_proxy"}
    }
