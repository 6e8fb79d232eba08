"""Ask this container's own `/ping`: `python -m vertex_torchserve.serving.probe [--wait SECONDS]`.

What docker's HEALTHCHECK and Vertex AI's startup and health probes run. Exits with 0 when the answer is
200, otherwise with 1 and one line that says why. It is started every few seconds, so it imports little,
and it writes no file.
"""

import contextlib
import http.client
import json
import os
import sys
import time

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.settings import HEALTH_PATH, ServingSettings

# As the images have it (a test compares it with their HEALTHCHECK); -I: no file of the working folder, which
# is `/` on Vertex AI, can be taken for a module.
PROBE_COMMAND = ("/opt/venv/bin/python", "-I", "-m", "vertex_torchserve.serving.probe")
WAIT_OPTION = "--wait"

# Vertex AI gives up after 10 s (custom container requirements); before that we can still print a reason.
_ANSWER_SECONDS = 9.0
_POLL_SECONDS = 0.5
_SHOWN_CHARACTERS = 300


def obstacle(
    host: str, port: int, timeout_seconds: float = _ANSWER_SECONDS, *, path: str = HEALTH_PATH
) -> str:
    """Ask `/ping` why the server at `host:port` is not ready; an empty text when it is.

    Args:
        host: Where to connect to.
        port: The port for predictions.
        timeout_seconds: How long to wait for the connection and for each part of the answer.
        path: Another health route than `/ping`.
    """
    connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{path} on port {port} does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{path} answered {answer.status}: {_reason(body)}"


def main(arguments: list[str]) -> int:
    """Ask once, or with `--wait SECONDS` until it is ready or the time is over; returns the exit code.

    The wait is for startup probes: Vertex AI gives up on a container after three that failed, and
    `Model.upload` can't ask for more.
    """
    deadline = time.monotonic()
    if len(arguments) == 2 and arguments[0] == WAIT_OPTION and arguments[1].isdecimal():
        deadline += int(arguments[1])
    elif arguments:
        return _fail(f"arguments {arguments} are not `{WAIT_OPTION} SECONDS`")
    try:
        settings = ServingSettings.from_environment(os.environ)
    except InputError as error:
        return _fail("; ".join(problem.message for problem in error.problems))
    host = "127.0.0.1" if settings.http_host == "0.0.0.0" else settings.http_host  # noqa: S104
    while reason := obstacle(host, settings.http_port):
        if time.monotonic() + _POLL_SECONDS > deadline:
            return _fail(reason)
        time.sleep(_POLL_SECONDS)
    return 0


def _reason(body: bytes) -> str:
    """What our `/ping` gives as its reason, or the start of any other body, on one line."""
    text = body.decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["reason"])
    return " ".join(text.split())[:_SHOWN_CHARACTERS] or "nothing"


def _fail(reason: str) -> int:
    sys.stderr.write(f"not ready: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
