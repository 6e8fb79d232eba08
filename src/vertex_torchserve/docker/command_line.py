"""The docker command line: which client is run, what it answers, how a failure is told."""

import os
import subprocess
from typing import IO

from vertex_torchserve.errors import VertexTorchServeError

CLIENT_VARIABLE = "VTS_DOCKER"
QUERY_SECONDS = 60.0
# Creating a container pulls its image, which may have several GB, when the engine doesn't have it.
PULL_SECONDS = 1800.0
_SHOWN_CHARACTERS = 2000


class DockerError(VertexTorchServeError):
    """There is no docker client or engine, or it refused or failed a command."""


def client() -> str:
    """The docker client that is used: the one `VTS_DOCKER` names, else the first `docker` on the PATH."""
    return os.environ.get(CLIENT_VARIABLE) or "docker"


def engine_version() -> str:
    """The version of the engine that answers.

    Raises:
        DockerError: When there is no client or no engine.
    """
    return ask("version", "--format", "{{.Server.Version}}").strip()


def ask(
    *arguments: str,
    seconds: float = QUERY_SECONDS,
    standard_input: bytes = b"",
    target: IO[bytes] | None = None,
) -> str:
    """What a docker command prints on standard output; nothing when that goes to a file."""
    answer = run(*arguments, seconds=seconds, standard_input=standard_input, target=target)
    if answer.returncode != 0:
        said = answer.stderr.strip()[-_SHOWN_CHARACTERS:] or f"exit code {answer.returncode}"
        raise DockerError(f"docker {arguments[0]} failed: {said}", _fix(said))
    return answer.stdout


def run(
    *arguments: str,
    seconds: float = QUERY_SECONDS,
    standard_input: bytes = b"",
    target: IO[bytes] | None = None,
) -> subprocess.CompletedProcess[str]:
    """What a docker command prints, and its exit code.

    Raises:
        DockerError: When there is no client, or it does not answer in time.
    """
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


def show(*arguments: str, what: str, fix: str = "read what docker says above") -> None:
    """Run a docker command whose progress the user sees, on standard error."""
    try:
        code = subprocess.run(
            [client(), *arguments], check=False, env={**os.environ, "DOCKER_BUILDKIT": "1"}, stdout=2
        ).returncode
    except FileNotFoundError as error:
        raise _no_client() from error
    if code != 0:
        raise DockerError(f"{what}: docker {arguments[0]} ended with code {code}", fix)


def _no_client() -> DockerError:
    return DockerError(f"there is no docker client {client()!r}", f"install Docker, or set {CLIENT_VARIABLE}")


def _fix(said: str) -> str:
    if "Cannot connect to the Docker daemon" in said:
        return "start the Docker engine, or point DOCKER_HOST at one"
    if "Unable to find image" in said or "No such image" in said:
        return "correct the image's name, or build it: `vertex-torchserve images build cpu`"
    return ""
