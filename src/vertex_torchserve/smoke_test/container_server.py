"""A model archive served by a container of any image; `serving/local_server.py` does so with no Docker."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.log.findings import failure_reason, last_error
from vertex_torchserve.serving.probe import obstacle
from vertex_torchserve.serving.settings import HEALTH_PATH, LOG_FORMAT
from vertex_torchserve.serving_plan import Place, Probe, ServingPlan
from vertex_torchserve.serving_plan.container_spec import DEFAULT_PORT
from vertex_torchserve.serving_plan.platform_variables import expand
from vertex_torchserve.smoke_test.closed_network import ClosedNetwork
from vertex_torchserve.smoke_test.probe_trial import tried

MODEL_STORE = "/mnt/models"
"""Where a container sees the archive."""
# With GPUs the server must find one: it refuses to start where torch can't use it.
_SOME_ACCELERATOR = "NVIDIA_L4"
_POLL_SECONDS = 0.2
# Each question to the engine starts its client, and the model that loads would feel one for each poll.
_STATE_SECONDS = 1.0


class ContainerServer:
    """A container that keeps Vertex AI's contract, asked on a port of 127.0.0.1; removed on exit.

    Args:
        container: The container, running, with `port` published.
        port: Where it listens, inside.
        health_route: What is asked for 200.
        network: The closed network it is in, which is removed with it; None when in none.

    Attributes:
        container: The container.
        started_at: When it was started.
    """

    def __init__(
        self,
        container: Container,
        port: int = DEFAULT_PORT,
        health_route: str = HEALTH_PATH,
        network: ClosedNetwork | None = None,
    ) -> None:
        self.container = container
        self._port = port
        self.started_at = datetime.now(UTC)
        self._health_route = health_route
        self._network = network
        self._started = time.monotonic()
        self._reached: tuple[str, int] | None = None

    @classmethod
    def start(
        cls, plan: ServingPlan, own_variables: Mapping[str, str] | None = None, *, options: Sequence[str] = ()
    ) -> "ContainerServer":
        """Start the container of a plan; returns at once, use `wait_ready`.

        Args:
            plan: What is served, and how. The container sees the archive, alone and read-only, in
                `MODEL_STORE`; who may enter its folder on this machine does not matter.
            own_variables: Set beside the plan's, which come first.
            options: Further options of `docker create`, such as `--cap-drop ALL`.

        Raises:
            DockerError: When it can't be started; nothing is left of it then.
        """
        network = ClosedNetwork() if plan.limits.network else None
        try:
            name = network.name if network else ""
            container = Invocation.of(plan, own_variables or {}, name, options).start()
        except DockerError:
            if network:
                network.remove()
            raise
        return cls(container, plan.container.port, plan.health_route, network)

    @property
    def base_url(self) -> str:
        """Where predictions are answered.

        Raises:
            DockerError: When the container has ended.
        """
        host, port = self._address()
        return f"http://{host}:{port}"

    def try_probe(self, probe: Probe) -> str:
        """Try a probe once, as Vertex AI would; what was seen.

        Raises:
            ServingError: It does not succeed.
        """
        return tried(probe, self.container, self._address, self._port)

    def _address(self) -> tuple[str, int]:
        """A port of a closed network can't be published; the container's own address leads into it."""
        if self._network:
            return self._network.address_of(self.container), self._port
        return "127.0.0.1", self.container.published_port(self._port)

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until the health route answered 200.

        Raises:
            ServingError: When the container ended or was not ready in time; the message carries what its
                log says about it.
        """
        deadline = time.monotonic() + timeout_seconds
        state_is_due = time.monotonic()
        reason = "it has not been asked yet"
        while reason:
            if time.monotonic() >= state_is_due:
                self._require_running()
                state_is_due = time.monotonic() + _STATE_SECONDS
            if time.monotonic() > deadline:
                raise ServingError(
                    f"the model was not ready after {timeout_seconds:g} s: {reason}; the log ends:\n"
                    f"{self.log_tail()}",
                    "give it more time, or look for what it waits for in the log",
                )
            reason = self._obstacle()
            time.sleep(_POLL_SECONDS if reason else 0)
        return time.monotonic() - self._started

    def _require_running(self) -> None:
        state = self.container.state()
        if state.status != "running":
            raise ServingError(
                f"the container ended with code {state.exit_code} before the model was ready:\n"
                f"{last_error(self.log()) or self.log_tail()}",
                "correct what the last line says and package the model again",
            )

    def exit_code(self) -> int | None:
        """Of the container; None while it runs."""
        return self.container.state().exit_code

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
            self._reached = self._reached or self._address()
        except DockerError as error:  # it has just ended
            return error.message
        return obstacle(*self._reached, path=self._health_route)

    def stop(self, timeout_seconds: int = 45) -> int:
        """Send SIGTERM, after `timeout_seconds` SIGKILL; returns the exit code."""
        return self.container.stop(timeout_seconds)

    def __enter__(self) -> "ContainerServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.remove()
        if self._network:
            self._network.remove()


@dataclass(frozen=True)
class Invocation:
    """What the engine is told for a plan.

    Attributes:
        image: The plan's.
        command: What comes after the image.
        environment: Every variable but the image's own.
        mounts: The archive, and where the container sees it.
        ports: Published on 127.0.0.1.
        options: Of `docker create`.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: Mapping[Path, str]
    ports: tuple[int, ...]
    options: tuple[str, ...]

    @classmethod
    def of(
        cls, plan: ServingPlan, own_variables: Mapping[str, str], network: str, options: Sequence[str]
    ) -> "Invocation":
        """From a plan; the other arguments are those of `ContainerServer.start`.

        Args:
            plan: What is served, and how.
            own_variables: Set beside the plan's, which come first.
            network: The closed network that the plan asks for; empty for none.
            options: Further options.
        """
        spec = plan.container
        place = Place(accelerator_type=_SOME_ACCELERATOR if plan.limits.gpus else "")
        environment = plan.environment(MODEL_STORE, place)
        command = [expand(part, environment) for part in spec.command]
        return cls(
            image=spec.image,
            command=(*command[1:], *(expand(part, environment) for part in spec.args)),
            # Text, of our images, is what is read here; other images know nothing of it.
            environment={LOG_FORMAT: "text", **own_variables, **environment},
            mounts={plan.mar_path: f"{MODEL_STORE}/{plan.mar_path.name}"},
            ports=() if network else (spec.port,),
            options=(
                *(("--entrypoint", command[0]) if command else ()),
                *(("--shm-size", f"{spec.shared_memory_size_mb}m") if spec.shared_memory_size_mb else ()),
                *plan.limits.docker_options(),
                *(("--network", network) if network else ()),
                *options,
            ),
        )

    def start(self) -> Container:
        """Start the container.

        Raises:
            DockerError: When it can't be started; nothing is left of it then.
        """
        return Container.run(
            self.image,
            *self.command,
            environment=self.environment,
            read_only_mounts=self.mounts,
            published_ports=self.ports,
            options=self.options,
        )
