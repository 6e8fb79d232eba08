"""Serve until somebody ends it, anew after each change when that is wanted."""

import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, ServingError, VertexTorchServeError
from vertex_torchserve.local_service.example import ServedModel
from vertex_torchserve.local_service.source import FileState, Source
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.served_plan import Server, served

# A build writes for a while: files count as changed once they have stayed as they are for this long.
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class LocalService:
    """A model that is to be served on loopback.

    Attributes:
        source: The archive or the folder.
        plan_of: The plan of an archive.
        port: Of 127.0.0.1.
        in_container: Serve it in a container of the plan's image.
        ready_seconds: How long the model may take to load.
        reload: Serve it anew when its files change.
    """

    source: Source
    plan_of: Callable[[Path], ServingPlan]
    port: int
    in_container: bool
    ready_seconds: float
    reload: bool


def serve(
    service: LocalService,
    on_ready: Callable[[ServedModel], None],
    on_change: Callable[[], None],
    on_failure: Callable[[VertexTorchServeError], None],
) -> None:
    """Serve until the process is interrupted.

    Args:
        service: What is served, and how.
        on_ready: Called when the model answers, each time.
        on_change: Called when its files have changed, before it is served anew.
        on_failure: Called when it can't be served as it is now; the next change is waited for.

    Raises:
        InputError: The port can't be had; without `reload` also what is wrong with the model.
        ServingError: Without `reload`: the model does not become ready, or its server ends.
    """
    if not service.source.path.exists():
        raise InputError(
            Problem(f"{service.source.path} does not exist", "give a .mar or the folder of a model")
        )
    require_port(service.port)
    while True:
        # As it is before it is packaged: what changes from here on is not in what is served.
        state = service.source.state()
        try:
            with tempfile.TemporaryDirectory(prefix="vts-") as folder:
                plan = service.plan_of(service.source.archive(Path(folder)))
                with served(
                    plan, in_container=service.in_container, like_vertex=True, port=service.port
                ) as server:
                    server.wait_ready(service.ready_seconds)
                    on_ready(ServedModel.of(plan, f"http://127.0.0.1:{service.port}"))
                    while _is_current(service, state):
                        _require_running(server)
        except VertexTorchServeError as error:
            if not service.reload:
                raise
            on_failure(error)
            while _is_current(service, state):
                pass
        on_change()


def require_port(port: int) -> None:
    """Refuse a port that something has.

    Raises:
        InputError: It can't be had.
    """
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise InputError(
            Problem(f"port {port} can't be had on 127.0.0.1: {error.strerror}", "choose another with --port")
        ) from None


def _is_current(service: LocalService, state: FileState) -> bool:
    """Whether what was made of that state is to be served on; takes a moment.

    Not once files have changed that nobody writes any more.
    """
    before = service.source.state() if service.reload else state
    time.sleep(_POLL_SECONDS)
    return before == state or before != service.source.state()


def _require_running(server: Server) -> None:
    """Refuse to go on without a server.

    Raises:
        ServingError: It has ended.
    """
    code = server.exit_code()
    if code is not None:
        raise ServingError(
            f"the server ended with code {code}; its log ends:\n{server.log_tail()}",
            "look for what ended it in the log, and serve the model again",
        )
