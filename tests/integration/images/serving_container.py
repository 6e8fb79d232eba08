"""A serving image run the way a strict platform runs it, and what a client sees of it."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.processes import wait_until
from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.smoke_test.container_server import ContainerServer

# No user of the image, no root file system to write to, nothing but /tmp.
STRICT = ("--user", "54321:0", "--read-only", "--tmpfs", "/tmp:exec", "--cap-drop", "ALL")


# Asks the server from within its container until it answers, or for half a minute: each start of this program
# takes the model that loads a fifth of a second.
ASK = """\
import json, time, urllib.request
request = urllib.request.Request(
    "http://127.0.0.1:8080/predictions/model",
    data=json.dumps({"instances": ["cat"]}).encode(),
    headers={"Content-Type": "application/json"},
)
until = time.monotonic() + 30
while True:
    try:
        print(urllib.request.urlopen(request, timeout=120).read().decode())
        break
    except OSError:  # nobody listens yet, or it is a 503
        if time.monotonic() > until:
            raise
        time.sleep(0.1)
"""
# A worker that loads a model takes seconds of the machine: more are started where their number matters.
ONE_WORKER = {"VTS_WORKERS": "1"}
# Seconds between two questions to the engine, each of which starts its client.
ENGINE_PAUSE = 0.5


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@contextlib.contextmanager
def serve(
    image: str, model_store: Path, *, port: int = 8080, variables: Mapping[str, str] = ONE_WORKER
) -> Iterator[ContainerServer]:
    """Serve the one archive of a folder, as strictly as can be."""
    (mar_path,) = model_store.glob("*.mar")
    plan = ServingPlan.of(mar_path, ContainerSpec(image, ports=(port,), environment=variables))
    with watched(ContainerServer.start(plan, options=STRICT)) as server:
        yield server


@contextlib.contextmanager
def watched(server: ContainerServer) -> Iterator[ContainerServer]:
    """A container that is removed at the end; its log is shown when the block raises."""
    with server:
        try:
            yield server
        except BaseException:
            print(server.container.logs())  # noqa: T201 (pytest shows it with the failure)
            raise


def pings_until_ready(server: ContainerServer) -> list[int]:
    """The statuses of /ping, each once as it changes, up to the first 200."""
    url = f"{server.base_url}/ping"
    statuses: list[int] = []

    def is_ready() -> bool:
        try:
            status = ask(url).status
        except (ConnectionError, TimeoutError):
            # Docker's proxy listens before the container does, and closes what it can't pass on.
            state = server.container.state()
            assert state.status == "running", f"the container ended with code {state.exit_code}"
            return False
        if [status] != statuses[-1:]:
            statuses.append(status)
        return status == 200

    wait_until(is_ready, READY_SECONDS, "/ping is 200")
    return statuses


def predict(server: ContainerServer, instances: list[Any]) -> Answer:
    return ask(f"{server.base_url}/predictions/model", {"instances": instances})


def wait_healthy(server: ContainerServer) -> None:
    """Until docker's own health check passed."""
    wait_until(
        lambda: server.container.state().health == "healthy",
        ANSWER_SECONDS,
        "docker calls it healthy",
        pause=ENGINE_PAUSE,
    )


def ask(url: str, body: dict[str, Any] | None = None) -> Answer:
    """GET, or POST with a body; an answer of any status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            return Answer(response.status, _content(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _content(error.read()))
    except urllib.error.URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from error
        raise


def _content(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


@contextlib.contextmanager
def isolated(image: str, mar: Path, options: Sequence[str] = STRICT) -> Iterator[Container]:
    """A container that reaches nothing and that nothing reaches."""
    mar.parent.chmod(0o755)
    with Container.run(
        image, read_only_mounts={mar: "/mnt/models/model.mar"}, options=(*options, "--network", "none")
    ) as container:
        yield container


def answer_of(container: Container) -> Any:
    """The predictions of `ASK`, once the model answers."""
    answers: list[str] = []

    def answered() -> bool:
        assert container.state().status == "running", container.logs()
        with contextlib.suppress(DockerError):  # it loads for longer than half a minute
            answers.append(container.execute("python", "-c", ASK))
        return answers != []

    wait_until(answered, READY_SECONDS, "the model answers")
    return json.loads(answers[0])["predictions"]
