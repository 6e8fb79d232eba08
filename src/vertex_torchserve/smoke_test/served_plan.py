"""A serving plan's archive, served: by this Python, or by a container of the plan's image."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vertex_torchserve.serving.local_server import ServingProcess
from vertex_torchserve.serving.settings import GOLDEN_REQUEST
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.container_server import ContainerServer

# What the smoke test sets beside the plan, whose own variables come first. The requests come from the person
# who runs the test, so exceptions may quote them. One worker proves as much as several, and is ready sooner.
OWN_VARIABLES = {"VTS_LOG_EXCEPTION_MESSAGES": "1", "VTS_WORKERS": "1"}


class Server(Protocol):
    """What the smoke test asks: a process or a container that serves one archive.

    Attributes:
        started_at: When it was started.
    """

    started_at: datetime

    @property
    def base_url(self) -> str:
        """Where predictions are answered."""

    def wait_ready(self, timeout_seconds: float) -> float:
        """Seconds from the start until ready; a ServingError when it never is."""

    def failure_reason(self, request_id: str) -> str:
        """Why the request with this `x-request-id` failed; empty when nothing says so."""

    def exit_code(self) -> int | None:
        """None while it runs."""

    def log(self) -> str:
        """All of its output so far."""

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its output."""

    def stop(self) -> int:
        """End it; returns its exit code."""


@contextmanager
def served(
    plan: ServingPlan,
    *,
    in_container: bool,
    python: Path | None = None,
    like_vertex: bool = False,
    check_golden: bool = True,
    port: int | None = None,
) -> Iterator[Server]:
    """Start a server for a plan, which returns at once, and end it with the block.

    Args:
        plan: What is served, and how.
        in_container: Start the plan's image; else a process on this machine, which has no use for the image,
            its command and its limits.
        python: The interpreter of that process; the one that runs this when None.
        like_vertex: Start as many workers as on a machine of Vertex AI, and not one.
        check_golden: Whether a wrong answer to the archive's golden request ends the server.
        port: Of 127.0.0.1, where it answers; a free one when None.

    Raises:
        DockerError: When there is no engine, or no such image.
    """
    own = dict(OWN_VARIABLES)
    if like_vertex:
        del own["VTS_WORKERS"]
    if not check_golden:
        own[GOLDEN_REQUEST] = "ignore"
    if in_container:
        published = ("--publish", f"127.0.0.1:{port}:{plan.container.port}") if port else ()
        with ContainerServer.start(plan, own, options=published) as container:
            yield container
        return
    with tempfile.TemporaryDirectory(prefix="vts-") as store:
        # Alone in its folder, as in the one that Vertex AI copies.
        Path(store, plan.mar_path.name).symlink_to(plan.mar_path)
        with ServingProcess({**own, **plan.environment(store)}, python=python, port=port) as process:
            yield process
