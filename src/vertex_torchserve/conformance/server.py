"""A server under test: how it is started, and what can be done with it once it runs."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from vertex_torchserve.conformance.exchange import Address
from vertex_torchserve.serving_plan import ContainerLimits, Place

# As long as Vertex AI's own.
PLACE = Place(
    project_number="123456789012", endpoint_id="1234567890123456789", deployed_model_id="9876543210987654321"
)
# What Vertex AI sets where a model names no routes (custom container requirements, environment variables).
DEFAULT_HEALTH_ROUTE = f"/v1/endpoints/{PLACE.endpoint_id}/deployedModels/{PLACE.deployed_model_id}"
DEFAULT_PREDICT_ROUTE = f"{DEFAULT_HEALTH_ROUTE}:predict"

NO_LIMITS = ContainerLimits()


@dataclass(frozen=True)
class Conditions:
    """What a server finds when it starts.

    Attributes:
        port: `AIP_HTTP_PORT`.
        health_route: `AIP_HEALTH_ROUTE`.
        predict_route: `AIP_PREDICT_ROUTE`.
        limits: What its container is held to.
    """

    port: int
    health_route: str = DEFAULT_HEALTH_ROUTE
    predict_route: str = DEFAULT_PREDICT_ROUTE
    limits: ContainerLimits = NO_LIMITS


class Server(Protocol):
    """A server that was started, until the end of its context."""

    def address(self, port: int) -> Address:
        """Where one of the launcher's ports can be reached.

        Raises:
            NoAnswer: When the server has ended.
        """

    def exit_code(self) -> int | None:
        """The exit code of its main process; None while it runs."""

    def terminate(self, seconds: float) -> int | None:
        """Send SIGTERM and wait; the exit code, or None when it had to be killed after `seconds`."""

    def log_tail(self) -> str:
        """The last lines of its output, as one."""


class Launcher(Protocol):
    """Starts servers of one kind: containers of an image, or processes."""

    @property
    def ports(self) -> tuple[int, int]:
        """The port that servers are told to listen on, and another one to see whether they do."""

    def start(self, conditions: Conditions) -> AbstractContextManager[Server]:
        """Start one; returns at once.

        Raises:
            NotRun: When it can't bring these conditions about.
            Broken: When it can't be started under them.
        """
