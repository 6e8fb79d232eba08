"""A model archive served by a container of any image; `serving/local_server.py` does so with no Docker."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.log.findings import failure_reason, last_error
from vertex_torchserve.serving.probe import obstacle
from vertex_torchserve.serving.settings import LOG_FORMAT

DEFAULT_PORT = 8080
_MODEL_STORE = "/mnt/models"
_POLL_SECONDS = 0.2


class ContainerServer:
    """A container that keeps Vertex AI's contract, asked on a port of 127.0.0.1; removed on exit.

    Args:
        container: The container, running, with `port` published.
        port: Where it listens, inside.

    Attributes:
        container: The container.
        started_at: When it was started.
    """

    def __init__(self, container: Container, port: int = DEFAULT_PORT) -> None:
        self.container = container
        self._port = port
        self.started_at = datetime.now(UTC)
        self._started = time.monotonic()

    @classmethod
    def start(
        cls,
        image: str,
        mar_path: Path,
        environment: Mapping[str, str] | None = None,
        *,
        port: int = DEFAULT_PORT,
        options: Sequence[str] = (),
    ) -> "ContainerServer":
        """Start one that serves an archive; returns at once, use `wait_ready`.

        Args:
            image: The image; pulled when the engine does not have it.
            mar_path: The archive. The container sees it, alone and read-only, in the folder that
                `AIP_STORAGE_URI` names; who may enter its folder on this machine does not matter.
            environment: What the container spec would set, such as `MODEL_NAME`.
            port: Where the container is told to listen.
            options: Further options of `docker create`, such as `--read-only`.

        Raises:
            DockerError: When it can't be started; nothing is left of it then.
        """
        container = Container.run(
            image,
            environment={
                # Ours as text, which is what is read here; other images know nothing of it.
                LOG_FORMAT: "text",
                **(environment or {}),
                "AIP_STORAGE_URI": _MODEL_STORE,
                "AIP_HTTP_PORT": str(port),
            },
            read_only_mounts={mar_path: f"{_MODEL_STORE}/{mar_path.name}"},
            published_ports=[port],
            options=options,
        )
        return cls(container, port)

    @property
    def base_url(self) -> str:
        """Where predictions are answered.

        Raises:
            DockerError: When the container has ended.
        """
        return f"http://127.0.0.1:{self.container.published_port(self._port)}"

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until `/ping` answered 200.

        Raises:
            ServingError: When the container ended or was not ready in time; the message carries what its
                log says about it.
        """
        deadline = time.monotonic() + timeout_seconds
        reason = "it has not been asked yet"
        while reason:
            state = self.container.state()
            if state.status != "running":
                raise ServingError(
                    f"the container ended with code {state.exit_code} before the model was ready:\n"
                    f"{last_error(self.log()) or self.log_tail()}",
                    "correct what the last line says and package the model again",
                )
            if time.monotonic() > deadline:
                raise ServingError(
                    f"the model was not ready after {timeout_seconds:g} s: {reason}; the log ends:\n"
                    f"{self.log_tail()}",
                    "give it more time, or look for what it waits for in the log",
                )
            reason = self._obstacle()
            time.sleep(_POLL_SECONDS if reason else 0)
        return time.monotonic() - self._started

    def log(self) -> str:
        """All of its output so far."""
        return self.container.logs()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output."""
        return "\n".join(self.log().splitlines()[-lines:])

    def failure_reason(self, request_id: str) -> str:
        """Why the request with this `x-request-id` failed, by our images' log; empty when nothing says so."""
        return failure_reason(self.log, request_id)

    def _obstacle(self) -> str:
        try:
            return obstacle("127.0.0.1", self.container.published_port(self._port))
        except DockerError as error:  # it has just ended
            return error.message

    def stop(self, timeout_seconds: int = 45) -> int:
        """Send SIGTERM, after `timeout_seconds` SIGKILL; returns the exit code."""
        return self.container.stop(timeout_seconds)

    def __enter__(self) -> "ContainerServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.remove()
