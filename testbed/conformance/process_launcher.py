"""Servers under test that are processes of this machine, on ports of its loopback."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from testbed.deadlines import STOP_SECONDS
from vertex_torchserve.conformance.exchange import Address
from vertex_torchserve.conformance.server import NO_LIMITS, PLACE, Conditions, Server
from vertex_torchserve.conformance.verdict import NotRun
from vertex_torchserve.serving.ports import free_ports
from vertex_torchserve.serving_plan.platform_variables import container_environment

# Linux has all of 127.0.0.0/8: what listens on 127.0.0.1 alone is not reached here, as in a container.
HOST = "127.0.0.2"
_SHOWN_LINES = 4


class ProcessLauncher:
    """Starts a command, each time with the variables that Vertex AI sets.

    Args:
        command: Its arguments, for the conditions that it is started under.
        environment: Its variables; none of this process's but PATH and HOME.
        storage_uri: `AIP_STORAGE_URI`.
    """

    def __init__(
        self,
        command: Callable[[Conditions], Sequence[str | Path]],
        environment: Mapping[str, str],
        storage_uri: str = "",
    ) -> None:
        first, other = free_ports(2)
        self._ports = first, other
        self._command = command
        self._environment = environment
        self._storage_uri = storage_uri

    @property
    def ports(self) -> tuple[int, int]:
        return self._ports

    @contextlib.contextmanager
    def start(self, conditions: Conditions) -> Iterator[Server]:
        if conditions.limits != NO_LIMITS:
            raise NotRun("takes a container")
        environment = container_environment(
            self._environment,
            PLACE,
            port=conditions.port,
            predict_route=conditions.predict_route,
            health_route=conditions.health_route,
            storage_uri=self._storage_uri,
        )
        with tempfile.NamedTemporaryFile(prefix="server-", suffix=".log") as log:
            process = subprocess.Popen(
                self._command(conditions),
                env={**{name: os.environ[name] for name in ("PATH", "HOME")}, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield _Process(process, Path(log.name))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)


class _Process:
    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def address(self, port: int) -> Address:
        return HOST, port

    def exit_code(self) -> int | None:
        return self._process.poll()

    def terminate(self, seconds: float) -> int | None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        return None

    def log_tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-_SHOWN_LINES:])
