"""What checks have in hand: a server that answers, started anew when one broke it, and what it did."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from vertex_torchserve.conformance.elsewhere import ElsewhereRecord, look_elsewhere
from vertex_torchserve.conformance.exchange import JSON, Address, Answer, NoAnswer, exchange
from vertex_torchserve.conformance.limits import Limits
from vertex_torchserve.conformance.server import Conditions, Launcher, Server
from vertex_torchserve.conformance.start import StartRecord, watch_start
from vertex_torchserve.conformance.stop import StopRecord, stop_under_load
from vertex_torchserve.conformance.verdict import Broken, NotRun
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving_plan import ContainerLimits


class Trial:
    """The servers of one image, one after the other; all are gone at the end of its context.

    Args:
        launcher: Starts them.
        conditions: How the first one is started, and those that take its place.
        request: What the model can answer.
        limits: How long things may take.
    """

    def __init__(
        self, launcher: Launcher, conditions: Conditions, request: PredictionRequest, limits: Limits
    ) -> None:
        self.conditions = conditions
        self.request = request
        self.limits = limits
        self._launcher = launcher
        self._running = contextlib.ExitStack()
        self._server: Server | None = None
        self._starts: dict[ContainerLimits, StartRecord | None] = {}

    @cached_property
    def start(self) -> StartRecord:
        """How the first server started."""
        return self._start_server()

    @cached_property
    def elsewhere(self) -> ElsewhereRecord:
        """What a server does that is told another port and other routes."""
        self._require_start()
        self._drop_server()
        with contextlib.ExitStack() as servers:
            return look_elsewhere(
                lambda conditions: servers.enter_context(self._launcher.start(conditions)),
                self.conditions,
                self._launcher.ports,
                self.request,
                self.limits,
                self.patience,
            )

    @cached_property
    def stop(self) -> StopRecord:
        """What SIGTERM does to the server and to the requests it has; there is no server afterwards."""
        address = self.address()
        assert self._server is not None  # noqa: S101 (address has just found it)
        record = stop_under_load(
            self._server, address, self.conditions.predict_route, self.request, self.limits
        )
        self._drop_server()
        return record

    def start_under(self, limits: ContainerLimits) -> StartRecord | None:
        """How a server starts that is held to limits, seen once; None when such a one can't be started."""
        if limits not in self._starts:
            try:
                with self.started(replace(self.conditions, limits=limits)) as start:
                    self._starts[limits] = start
            except (Broken, NotRun):
                self._starts[limits] = None
        return self._starts[limits]

    @property
    def patience(self) -> float:
        """Seconds that another start may take: some times what the first one took."""
        return min(self.limits.ready, 15.0 + 3 * (self.start.answering or 0.0))

    def address(self) -> Address:
        """Where a server is that answers predictions.

        Raises:
            NotRun: When there is none, and none can be started.
        """
        self._require_start()
        if self._server is None and self._start_server().answering is None:
            raise NotRun("the server answered no prediction after it was started again")
        assert self._server is not None  # noqa: S101 (it answered)
        try:
            return self._server.address(self.conditions.port)
        except NoAnswer as error:
            raise NotRun(str(error)) from error

    def ask(
        self,
        body: bytes | None,
        *,
        route: str | None = None,
        method: str = "POST",
        headers: Mapping[str, str] = JSON,
        seconds: float | None = None,
    ) -> Answer:
        """Send a request to the server, by default to the predict route.

        Raises:
            Broken: When there is no answer.
            NotRun: When there is no server.
        """
        try:
            return exchange(
                self.address(),
                method,
                route or self.conditions.predict_route,
                body,
                headers,
                seconds=seconds or self.limits.answer,
            )
        except NoAnswer as error:
            raise Broken(str(error)) from error

    @contextlib.contextmanager
    def started(self, conditions: Conditions) -> Iterator[StartRecord]:
        """Another server under other conditions, and how it started."""
        self._require_start()
        self._drop_server()
        with self._launcher.start(conditions) as server:
            yield watch_start(server, conditions, self.request, self.limits, self.patience)

    def replace_broken_server(self) -> None:
        """End the server unless it answers predictions; the next check gets another."""
        if self._server is None or self.start.answering is None:
            return
        with contextlib.suppress(NoAnswer):
            address, route = self._server.address(self.conditions.port), self.conditions.predict_route
            body, seconds = self.request.body(), self.limits.answer
            if exchange(address, "POST", route, body, seconds=seconds).status == 200:
                return
        self._drop_server()

    def _require_start(self) -> None:
        if self.start.answering is None:
            raise NotRun("the server never answered a prediction")

    def _start_server(self) -> StartRecord:
        try:
            self._server = self._running.enter_context(self._launcher.start(self.conditions))
        except Broken as error:
            return StartRecord(log_tail=str(error))
        return watch_start(self._server, self.conditions, self.request, self.limits, self.limits.ready)

    def _drop_server(self) -> None:
        self._server = None
        self._running.close()

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        self._drop_server()
