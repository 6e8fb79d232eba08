"""Containers: started, asked, stopped, removed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from vertex_torchserve.docker.command_line import PULL_SECONDS, QUERY_SECONDS, DockerError, ask, run


@dataclass(frozen=True)
class ContainerState:
    """What the engine reports of a container.

    Attributes:
        status: `created`, `running`, `exited`, ...
        exit_code: Of its main process; None while there is one.
        health: `starting`, `healthy` or `unhealthy`; None when its image has no health check.
    """

    status: str
    exit_code: int | None
    health: str | None


class Container:
    """One container, by its id, until `remove`; as a context manager it is removed on exit.

    Args:
        container_id: The engine's id of it.
    """

    def __init__(self, container_id: str) -> None:
        self.id = container_id

    @classmethod
    def run(
        cls,
        image: str,
        *command: str,
        environment: Mapping[str, str] | None = None,
        read_only_mounts: Mapping[Path, str] | None = None,
        published_ports: Sequence[int] = (),
        options: Sequence[str] = (),
    ) -> "Container":
        """Start a container in the background.

        Args:
            image: The image; pulled when the engine does not have it.
            command: In place of the image's CMD.
            environment: Its variables, over the image's.
            read_only_mounts: Folders of this machine and where they appear.
            published_ports: Ports of the container that get a free port of 127.0.0.1 each.
            options: Further options of `docker create`, such as `--read-only`.

        Raises:
            DockerError: When it can't be started; it is removed then.
        """
        arguments = ["create", *options]
        for name, value in (environment or {}).items():
            arguments += ["--env", f"{name}={value}"]
        for source, target in (read_only_mounts or {}).items():
            arguments += ["--mount", f"type=bind,source={source.resolve()},target={target},readonly"]
        for port in published_ports:
            arguments += ["--publish", f"127.0.0.1:0:{port}"]
        container = cls(ask(*arguments, image, *command, seconds=PULL_SECONDS).strip())
        try:
            ask("start", container.id)
        except DockerError:
            container.remove()  # the engine keeps what it could not start
            raise
        return container

    def published_port(self, port: int) -> int:
        """The port of 127.0.0.1 that leads to `port` of the container.

        Raises:
            DockerError: When that port isn't published, or the container has ended.
        """
        return int(ask("port", self.id, f"{port}/tcp").splitlines()[0].rpartition(":")[2])

    def state(self) -> ContainerState:
        """What the engine reports now.

        Raises:
            DockerError: When there is no such container any more.
        """
        state = json.loads(ask("container", "inspect", "--format", "{{json .State}}", self.id))
        ended = state["Status"] in ("exited", "dead")
        return ContainerState(
            state["Status"], state["ExitCode"] if ended else None, state.get("Health", {}).get("Status")
        )

    def logs(self) -> str:
        """All it wrote so far, standard error after standard output."""
        answer = run("logs", self.id)
        return answer.stdout + answer.stderr

    def execute(self, *command: str) -> str:
        """What a command inside it prints on standard output.

        Raises:
            DockerError: When it exits with another code than 0.
        """
        return ask("exec", self.id, *command)

    def stop(self, timeout_seconds: int = 10) -> int:
        """Send SIGTERM, and SIGKILL after `timeout_seconds`; returns the exit code.

        Raises:
            DockerError: When there is no such container.
        """
        ask("stop", "--time", str(timeout_seconds), self.id, seconds=timeout_seconds + QUERY_SECONDS)
        return int(ask("wait", self.id))

    def remove(self) -> None:
        """End it at once if it still runs, and remove it with its anonymous volumes."""
        ask("rm", "--force", "--volumes", self.id)

    def __enter__(self) -> "Container":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def output_of(
    image: str,
    *command: str,
    options: Sequence[str] = (),
    standard_input: bytes = b"",
    target: IO[bytes] | None = None,
) -> str:
    """What a command prints in a container of its own, which is gone afterwards.

    Args:
        image: The image; pulled when the engine does not have it.
        command: In place of the image's CMD.
        options: Of `docker run`, such as `--network none`.
        standard_input: What the command reads.
        target: A file to write to what it prints; nothing is returned then.

    Raises:
        DockerError: When it can't be started, or the command fails.
    """
    arguments = ["run", "--rm", "--interactive", *options, image, *command]
    return ask(*arguments, seconds=PULL_SECONDS, standard_input=standard_input, target=target)
