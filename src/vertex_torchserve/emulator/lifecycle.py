"""Start and stop the emulator: its state, the storage server, the REST server and the model servers."""

import ipaddress
import shutil
import socket
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from vertex_torchserve.emulator.batch.jobs import BatchPredictionJobs
from vertex_torchserve.emulator.containers.docker_launcher import DockerLauncher
from vertex_torchserve.emulator.containers.served_process import ProcessLauncher
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.endpoints.deployments import Deployments
from vertex_torchserve.emulator.endpoints.endpoints import Endpoints
from vertex_torchserve.emulator.google_hosts.access import GoogleHosts
from vertex_torchserve.emulator.registry.model_registry import ModelRegistry
from vertex_torchserve.emulator.rest.application import application
from vertex_torchserve.emulator.rest.operations import Operations
from vertex_torchserve.emulator.rest.vertex_server import VertexServer
from vertex_torchserve.emulator.state import State
from vertex_torchserve.emulator.storage.artifact_copies import ArtifactCopies
from vertex_torchserve.emulator.storage.object_store import ObjectStore
from vertex_torchserve.emulator.storage.storage_server import StorageServer
from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.resource_rules.bucket_names import bucket_problem

_STOP_SECONDS = 30.0


class Emulator:
    """Cloud Storage and a subset of Vertex AI on loopback, from `start` to `stop`.

    Attributes:
        storage_host: `http://127.0.0.1:PORT` of the storage emulator.
        vertex_host: `http://127.0.0.1:PORT` of the Vertex AI subset.
    """

    def __init__(
        self, storage_host: str, vertex_host: str, google_hosts: GoogleHosts | None, cleanup: ExitStack
    ) -> None:
        self.storage_host = storage_host
        self.vertex_host = vertex_host
        self._google_hosts = google_hosts
        self._cleanup = cleanup

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        storage_port: int = 0,
        vertex_port: int = 0,
        *,
        host: str = "127.0.0.1",
        buckets: Iterable[str] = (),
        containers: bool = False,
        google_hosts: bool = False,
    ) -> "Emulator":
        """Start both servers and what was deployed in `data_dir` before.

        Args:
            data_dir: The folder that keeps everything over a restart; made when it isn't there. A private
                temporary folder, removed at the end, when None.
            storage_port: Port of the storage emulator, 0 for a free one.
            vertex_port: Port of the Vertex AI subset, 0 for a free one.
            host: An IPv4 loopback address; nothing else, for neither server checks credentials.
            buckets: Created when they aren't there.
            containers: Run each model's own image, with the Docker engine of this machine.
            google_hosts: Answer Google's own host names too, for clients with the variables of `environment`.

        Raises:
            InputError: For a host that isn't loopback, a port that can't be had, a name that no bucket can
                have, a folder that is in use or isn't the emulator's, an engine on another machine.
            DockerError: When there is no Docker engine and `containers` asks for it.
        """
        buckets = tuple(buckets)
        _refuse_unusable(host, {"storage_port": storage_port, "vertex_port": vertex_port}, buckets)
        with ExitStack() as cleanup:
            folder = _folder(data_dir, cleanup)
            state = State(folder)
            cleanup.callback(state.close)
            storage = _storage(folder / "storage", (host, storage_port))
            cleanup.callback(storage.stop)
            store = ObjectStore(storage.url)
            cleanup.callback(store.close)
            for bucket in buckets:
                store.create_bucket(bucket)
            listener = _listener((host, vertex_port), cleanup)
            hosts = None
            if google_hosts:
                own = _listener((host, 0), cleanup)
                hosts = GoogleHosts(folder / "google-hosts", own, listener.getsockname())
            launcher: Launcher = ProcessLauncher(store.url)
            if containers:
                launcher = DockerLauncher(store.url)
                cleanup.callback(launcher.stop)
            _serve(state, store, launcher, folder / "logs", listener, cleanup)
            if hosts:
                hosts.start()
                cleanup.callback(hosts.stop)
            vertex_host = f"http://{host}:{listener.getsockname()[1]}"
            return cls(storage.url, vertex_host, hosts, cleanup.pop_all())

    def environment(self) -> dict[str, str]:
        """What a client's environment needs."""
        own = {"STORAGE_EMULATOR_HOST": self.storage_host, "VERTEX_AI_EMULATOR_HOST": self.vertex_host}
        return own | (self._google_hosts.environment() if self._google_hosts else {})

    def stop(self) -> None:
        """End every model server and both servers; does nothing the second time."""
        self._cleanup.close()

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _serve(
    state: State,
    store: ObjectStore,
    launcher: Launcher,
    logs: Path,
    listener: socket.socket,
    cleanup: ExitStack,
) -> None:
    """Start the Vertex AI subset on `listener`, and what was deployed when it last stopped."""
    operations = Operations()
    models = ModelRegistry(state, operations, ArtifactCopies(store), launcher.copy_image)
    endpoints = Endpoints(state, operations)
    deployments = Deployments(state, operations, models, endpoints, launcher=launcher, log_folder=logs)
    jobs = BatchPredictionJobs(state, operations, models, store, launcher=launcher, log_folder=logs)
    resources = (operations, models, endpoints, deployments, jobs)
    routes = {place: handler for resource in resources for place, handler in resource.routes().items()}
    vertex = VertexServer(application(routes), listener)
    # These run from last to first: stopping the model servers ends the jobs, requests and operations that
    # wait for them.
    cleanup.callback(operations.wait, _STOP_SECONDS)
    cleanup.callback(vertex.stop)
    cleanup.callback(jobs.stop, _STOP_SECONDS)
    cleanup.callback(deployments.stop)
    jobs.fail_interrupted()
    deployments.resume()
    vertex.start()


def _refuse_unusable(host: str, ports: dict[str, int], buckets: Iterable[str]) -> None:
    problems = [
        Problem(f"{name} {port}: 0 (a free port) to 65535 are accepted", f"choose another {name}")
        for name, port in ports.items()
        if not 0 <= port < 65536
    ]
    try:
        loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        problems.append(
            Problem(
                f"host {host!r} is not an IPv4 loopback address",
                "use 127.0.0.1: anybody may ask the emulator anything",
            )
        )
    problems += [problem for bucket in buckets if (problem := bucket_problem(bucket))]
    raise_problems(problems)


def _folder(data_dir: Path | None, cleanup: ExitStack) -> Path:
    if data_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="vertex-emulator-"))
        cleanup.callback(shutil.rmtree, folder)
        return folder
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            Problem(
                f"data_dir {data_dir} can't be used: {error.strerror}", "name a folder that can be written"
            )
        ) from None
    return data_dir.absolute()


def _storage(folder: Path, address: tuple[str, int]) -> StorageServer:
    try:
        return StorageServer(folder, address)
    except OSError as error:
        raise _port_error("storage_port", address, error) from None


def _listener(address: tuple[str, int], cleanup: ExitStack) -> socket.socket:
    try:
        listener = socket.create_server(address)
    except OSError as error:
        raise _port_error("vertex_port", address, error) from None
    cleanup.callback(listener.close)
    return listener


def _port_error(name: str, address: tuple[str, int], error: OSError) -> InputError:
    problem = f"{name} {address[1]} can't be had on {address[0]}: {error.strerror}"
    return InputError(Problem(problem, "choose a free port, or 0"))
