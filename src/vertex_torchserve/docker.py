"""A thin typed wrapper over the docker command line: build an image, run a container, read its state and log.

`VTS_DOCKER` names another client than the first `docker` on the PATH. Images are built with BuildKit, for
which clients from version 23 on need the buildx plug-in.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from vertex_torchserve.errors import VertexTorchServeError

CLIENT_VARIABLE = "VTS_DOCKER"
_QUERY_SECONDS = 60.0
# Creating a container pulls its image, which may have several GB, when the engine doesn't have it.
PULL_SECONDS = 1800.0
_SHOWN_CHARACTERS = 2000


class DockerError(VertexTorchServeError):
    """There is no docker client or engine, or it refused or failed a command."""


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
        answer = _run("logs", self.id)
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
        ask("stop", "--time", str(timeout_seconds), self.id, seconds=timeout_seconds + _QUERY_SECONDS)
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


def client() -> str:
    """The docker client that is used: the one `VTS_DOCKER` names, else the first `docker` on the PATH."""
    return os.environ.get(CLIENT_VARIABLE) or "docker"


def engine_version() -> str:
    """The version of the engine that answers.

    Raises:
        DockerError: When there is no client or no engine.
    """
    return ask("version", "--format", "{{.Server.Version}}").strip()


def build_image(
    dockerfile: Path,
    context: Path,
    tag: str,
    *,
    build_arguments: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    secrets: Mapping[str, Path] | None = None,
) -> None:
    """Build an image with BuildKit and the machine's own network; its progress goes to standard error.

    Args:
        dockerfile: The Dockerfile.
        context: The folder that it copies from.
        tag: The image's name.
        build_arguments: For the Dockerfile's `ARG` lines.
        labels: For the image.
        secrets: Files that the Dockerfile mounts by these names, and that are in no layer.

    Raises:
        DockerError: When the build fails; docker has then shown why.
    """
    arguments = ["build", "--network", "host", "--file", str(dockerfile), "--tag", tag]
    for name, value in (build_arguments or {}).items():
        arguments += ["--build-arg", f"{name}={value}"]
    for name, value in (labels or {}).items():
        arguments += ["--label", f"{name}={value}"]
    for name, file in (secrets or {}).items():
        arguments += ["--secret", f"id={name},src={file}"]
    _show(*arguments, str(context), what=f"image {tag!r} could not be built from {dockerfile}")


def push_image(tag: str) -> None:
    """Push an image to the registry its tag names; progress goes to standard error.

    Raises:
        DockerError: When the registry refuses it or can't be reached; docker has then shown why.
    """
    _show("push", tag, what=f"image {tag!r} could not be pushed")


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


def inspect_image(tag: str) -> dict[str, Any]:
    """What the engine knows of an image: `Id`, `Size` (bytes, uncompressed), `Config`, ...

    Raises:
        DockerError: When there is no such image.
    """
    images: list[dict[str, Any]] = json.loads(ask("image", "inspect", tag))
    return images[0]


def ask(
    *arguments: str,
    seconds: float = _QUERY_SECONDS,
    standard_input: bytes = b"",
    target: IO[bytes] | None = None,
) -> str:
    """What a docker command prints on standard output; nothing when that goes to a file."""
    answer = _run(*arguments, seconds=seconds, standard_input=standard_input, target=target)
    if answer.returncode != 0:
        said = answer.stderr.strip()[-_SHOWN_CHARACTERS:] or f"exit code {answer.returncode}"
        raise DockerError(f"docker {arguments[0]} failed: {said}", _fix(said))
    return answer.stdout


def _run(
    *arguments: str,
    seconds: float = _QUERY_SECONDS,
    standard_input: bytes = b"",
    target: IO[bytes] | None = None,
) -> subprocess.CompletedProcess[str]:
    command = [client(), *arguments]
    try:
        answer = subprocess.run(
            command,
            input=standard_input,
            stdout=target or subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError as error:
        raise _no_client() from error
    except subprocess.TimeoutExpired as error:
        raise DockerError(
            f"docker {arguments[0]} did not answer within {seconds:g} s", "look at the engine's log"
        ) from error
    said = ((each or b"").decode(errors="replace") for each in (answer.stdout, answer.stderr))
    return subprocess.CompletedProcess(command, answer.returncode, *said)


def _show(*arguments: str, what: str) -> None:
    """Run a docker command whose progress the user sees, on standard error."""
    try:
        code = subprocess.run(
            [client(), *arguments], check=False, env={**os.environ, "DOCKER_BUILDKIT": "1"}, stdout=2
        ).returncode
    except FileNotFoundError as error:
        raise _no_client() from error
    if code != 0:
        raise DockerError(
            f"{what}: docker {arguments[0]} ended with code {code}", "read what docker says above"
        )


def _no_client() -> DockerError:
    return DockerError(f"there is no docker client {client()!r}", f"install Docker, or set {CLIENT_VARIABLE}")


def _fix(said: str) -> str:
    if "Cannot connect to the Docker daemon" in said:
        return "start the Docker engine, or point DOCKER_HOST at one"
    if "Unable to find image" in said or "No such image" in said:
        return "correct the image's name, or build it: `vertex-torchserve images build cpu`"
    return ""
