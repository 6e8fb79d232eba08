"""A model's own container: started, probed, started again when it dies, drained."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vertex_torchserve.docker import Container as DockerContainer
from vertex_torchserve.docker import DockerError
from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.containers.docker_queries import ContainerEnd, address, follow_logs
from vertex_torchserve.emulator.containers.probe_watch import ProbeWatch
from vertex_torchserve.emulator.containers.probing import failure
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.errors import ServingError

# Kubernetes' terminationGracePeriodSeconds.
_DRAIN_SECONDS = 30
# One that was ready and ends is started again at once, then after 10, 20, 40, ... s, and at once again when
# it has run for ten minutes (Kubernetes' CrashLoopBackOff).
_FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 300.0
_RECOVERED_SECONDS = 600.0
# One that was never ready is started so often, and then given up: the next time would be no different.
_MOST_STARTS = 3
_TICK_SECONDS = 0.2
_SHOWN_LINES = 40


class SupervisedContainer:
    """A container of the registered image, and the thread that looks after it.

    Args:
        container: Image, command, environment, port and probes.
        options: Further options of `docker create`.
        log_path: Where its output goes, over all its starts.
    """

    def __init__(self, container: Container, options: tuple[str, ...], log_path: Path) -> None:
        self._container = container
        self._options = options
        self._log_path = log_path
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._running: DockerContainer | None = None
        self._end: ContainerEnd | None = None
        self._host = ""
        self._obstacle = "it is starting"
        self._was_ready = False
        self._gave_up = ""
        self._thread = threading.Thread(target=self._supervise, name="container", daemon=True)
        self._thread.start()

    def base_url(self) -> str:
        """Where it answers while its health probe passes; from its end on, the address may be another's."""
        with self._changed:
            obstacle = self._obstacle or ("it has ended" if self._end and self._end.has_come() else "")
            if obstacle:
                raise RpcError(
                    "UNAVAILABLE", f"The container gets no traffic: {obstacle}; log: {self._log_path}"
                )
            return f"http://{self._host}:{self._container.port}"

    def become_ready(self, timeout_seconds: float) -> None:
        """Wait until its health probe passes."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._obstacle or self._gave_up or self._stopping.is_set(), timeout_seconds
            )
            if not self._obstacle:
                return
            reason = self._gave_up or f"it was not ready after {timeout_seconds:g} s: {self._obstacle}"
        lines = self._log_path.read_text(errors="replace").splitlines()
        raise ServingError("\n".join([reason, *lines[-_SHOWN_LINES:]]))

    def stop(self) -> None:
        """SIGTERM, up to 30 s for what it has accepted, then SIGKILL."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
            running = self._running
        if running:
            _drain(running)
        self._thread.join(_DRAIN_SECONDS)

    def _supervise(self) -> None:
        starts = restarts = 0
        pause = 0.0
        with self._log_path.open("ab") as log:
            while not self._stopping.wait(pause):
                starts += 1
                began = time.monotonic()
                reason = self._run_once(log)
                if not self._was_ready and starts == _MOST_STARTS:
                    self._tell(reason, gave_up=f"the container was started {starts} times; at last {reason}")
                    return
                if time.monotonic() - began > _RECOVERED_SECONDS:
                    restarts = 0
                pause = _pause_seconds(restarts) if self._was_ready else 0.0
                restarts += self._was_ready

    def _run_once(self, log: BinaryIO) -> str:
        """Start it and look after it until it has to be started again; returns why, when it is gone."""
        try:
            with self._started(log) as (running, end):
                reason = self._watch(running, end)
                self._tell(reason if self._stopping.is_set() else f"{reason}, and is started again")
        except DockerError as error:
            reason = f"Docker can't run it: {error.message}"
            self._tell(f"{reason}, and is started again")
        return reason

    @contextmanager
    def _started(self, log: BinaryIO) -> Iterator[tuple[DockerContainer, ContainerEnd]]:
        """A new one, which is drained and removed afterwards."""
        spec = self._container
        entrypoint = ("--entrypoint", spec.command[0]) if spec.command else ()
        running = DockerContainer.run(
            spec.image,
            *spec.command[1:],
            *spec.args,
            environment=spec.environment,
            options=(*self._options, *entrypoint),
        )
        end, output = ContainerEnd(running), follow_logs(running, log)
        try:
            with self._changed:
                self._running, self._end, self._host = running, end, address(running)
            yield running, end
        finally:
            self._running = None
            _drain(running)
            output.wait()
            running.remove()
            end.close()

    def _watch(self, running: DockerContainer, end: ContainerEnd) -> str:
        port = self._container.port
        watch = ProbeWatch(
            self._container.probes,
            lambda probe: failure(probe, running, self._host, port),
            time.monotonic(),
        )
        while not self._stopping.wait(_TICK_SECONDS):
            if end.has_come():
                return end.reason()
            watch.step(time.monotonic())
            if watch.verdict:
                return watch.verdict
            self._tell(watch.obstacle)
        return "it was stopped"

    def _tell(self, obstacle: str, *, gave_up: str = "") -> None:
        with self._changed:
            self._obstacle, self._gave_up = obstacle, gave_up
            self._was_ready = self._was_ready or not obstacle
            self._changed.notify_all()


def _drain(running: DockerContainer) -> None:
    with suppress(DockerError):  # it is gone, or the engine is: removing it says so
        running.stop(_DRAIN_SECONDS)


def _pause_seconds(restarts: int) -> float:
    """How long to wait when a container that was ready has been started again so often."""
    if restarts == 0:
        return 0.0
    return min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (restarts - 1))
