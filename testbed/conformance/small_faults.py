"""One small server for each check of `vertex-torchserve conformance`: it fails that check and no other."""

import os
import pwd
import signal
import socket
import threading
import time
from collections.abc import Callable
from email.message import Message
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from testbed.conformance.small_server import Refused, Reply, SmallServer

# What `port-from-aip` and the routes' faults always serve: how the tests start every server first.
FIRST_PORT = "SMALL_SERVER_PORT"
# The address of a server in the engine's own network, which a closed one does not reach.
NEIGHBOUR = "SMALL_SERVER_NEIGHBOUR"
HEALTH_ROUTE = "/health"
PREDICT_ROUTE = "/predict"
SLOW_START_SECONDS = 9.0


class SlowToListen(SmallServer):
    def before_listening(self) -> None:
        time.sleep(SLOW_START_SECONDS)


class LoopbackOnly(SmallServer):
    host = "127.0.0.1"


class NeverReady(SmallServer):
    def health(self) -> Reply:
        raise Refused(503, "loading")


class ReadyTooSoon(SmallServer):
    def __init__(self) -> None:
        super().__init__()
        self.loaded = time.monotonic() + 2.5

    def model(self, instances: list[Any]) -> list[Any]:
        if time.monotonic() < self.loaded:
            raise Refused(503, "loading")
        return super().model(instances)


class ReadyWhileLoading(ReadyTooSoon):
    def model(self, instances: list[Any]) -> list[Any]:
        time.sleep(max(0.0, self.loaded - time.monotonic()))
        return super().model(instances)


class PortOfItsOwn(SmallServer):
    def __init__(self) -> None:
        super().__init__()
        self.port = int(os.environ[FIRST_PORT])


class HealthRouteOfItsOwn(SmallServer):
    def __init__(self) -> None:
        super().__init__()
        self.health_route = HEALTH_ROUTE


class PredictRouteOfItsOwn(SmallServer):
    def __init__(self) -> None:
        super().__init__()
        self.predict_route = PREDICT_ROUTE


class OutputsInstead(SmallServer):
    def predict(self, head: Message, read: Callable[[], bytes]) -> Reply:
        status, content = super().predict(head, read)
        return status, {"outputs": content["predictions"]}


class FirstInstanceOnly(SmallServer):
    def model(self, instances: list[Any]) -> list[Any]:
        return super().model(instances)[:1]


class NoParameters(SmallServer):
    def instances(self, content: Any) -> list[Any]:
        if isinstance(content, dict) and "parameters" in content:
            raise Refused(422, "parameters: extra fields not permitted")
        return super().instances(content)


class SmallBatches(SmallServer):
    def model(self, instances: list[Any]) -> list[Any]:
        if len(instances) > 32:
            raise Refused(400, "more than 32 instances")
        return super().model(instances)


class OneSpellingOfJson(SmallServer):
    def parsed(self, head: Message, body: bytes) -> Any:
        if head.get("Content-Type", "application/json") != "application/json":
            raise Refused(415, "not application/json")
        return super().parsed(head, body)


class AnswersAsHtml(SmallServer):
    content_type = "text/html"


class FailsOnOtherTypes(SmallServer):
    def parsed(self, head: Message, body: bytes) -> Any:
        if head.get_content_type() != "application/json":
            raise Refused(500, "KeyError")
        return super().parsed(head, body)


class FailsOnEmptyBodies(SmallServer):
    def parsed(self, head: Message, body: bytes) -> Any:
        if not body:
            raise Refused(500, "JSONDecodeError")
        return super().parsed(head, body)


class FailsOnMalformedJson(SmallServer):
    def parsed(self, head: Message, body: bytes) -> Any:
        try:
            return super().parsed(head, body)
        except Refused as refused:
            raise Refused(
                500 if body and refused.status == 400 else refused.status, "ValueError"
            ) from refused


class FailsOnOtherJson(SmallServer):
    def instances(self, content: Any) -> list[Any]:
        try:
            return super().instances(content)
        except Refused as refused:
            raise Refused(500, "KeyError: 'instances'") from refused


class FailsOnNoInstances(SmallServer):
    def model(self, instances: list[Any]) -> list[Any]:
        if not instances:
            raise Refused(500, "IndexError")
        return super().model(instances)


class ErrorsAsDetail(SmallServer):
    def error(self, status: int, reason: str) -> Reply:
        return status, {"detail": reason}


class BrokenByABadBody(SmallServer):
    broken = False

    def error(self, status: int, reason: str) -> Reply:
        self.broken = self.broken or status == 400
        return super().error(status, reason)

    def model(self, instances: list[Any]) -> list[Any]:
        if self.broken:
            raise Refused(500, "the worker is gone")
        return super().model(instances)


class KnowsEveryRoute(SmallServer):
    def elsewhere(self) -> Reply:
        return 200, {}


class AnswersGet(SmallServer):
    def get_predict(self) -> Reply:
        return 200, {"predictions": []}


class RefusesTwoMegabytes(SmallServer):
    def read(self, read: Callable[[], bytes]) -> bytes:
        body = super().read(read)
        if 1 << 20 < len(body) < 2 << 20:
            raise Refused(413, "too large")
        return body


class RefusesTenMegabytes(SmallServer):
    def read(self, read: Callable[[], bytes]) -> bytes:
        body = super().read(read)
        if len(body) > 6_553_500:
            raise Refused(413, "too large")
        return body


class HangsUpBeyondTenMegabytes(SmallServer):
    def read(self, read: Callable[[], bytes]) -> bytes:
        body = super().read(read)
        if len(body) > 10 << 20:
            raise ConnectionResetError
        return body


class UnhealthyWhenBusy(SmallServer):
    busy = 0
    lock = threading.Lock()

    def model(self, instances: list[Any]) -> list[Any]:
        with self.lock:
            self.busy += 1
        try:
            return super().model(instances)
        finally:
            with self.lock:
                self.busy -= 1

    def health(self) -> Reply:
        if self.busy > 1:
            raise Refused(503, "busy")
        return super().health()


class FourReaders(SmallServer):
    readers = threading.Semaphore(4)

    def read(self, read: Callable[[], bytes]) -> bytes:
        with self.readers:
            return super().read(read)


class DropsEverythingOnSigterm(SmallServer):
    def on_sigterm(self, server: ThreadingHTTPServer) -> None:  # noqa: ARG002
        os._exit(143)


class IgnoresSigterm(SmallServer):
    def on_sigterm(self, server: ThreadingHTTPServer) -> None:  # noqa: ARG002
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


class NeedsAUserName(SmallServer):
    def before_listening(self) -> None:
        super().before_listening()
        pwd.getpwuid(os.getuid())


class WritesToTheRoot(SmallServer):
    def before_listening(self) -> None:
        super().before_listening()
        Path("/var/tmp/small-server").write_text("cache")  # noqa: S108


class NeedsTheNetwork(SmallServer):
    def before_listening(self) -> None:
        super().before_listening()
        socket.create_connection((os.environ[NEIGHBOUR], 8080), timeout=5.0).close()


# A fault's name: the check that it fails, and the server that has it.
FAULTS: dict[str, tuple[str, type[SmallServer]]] = {
    "slow-to-listen": ("listens-in-time", SlowToListen),
    "loopback-only": ("listens-in-time", LoopbackOnly),
    "never-ready": ("becomes-ready", NeverReady),
    "ready-too-soon": ("ready-means-ready", ReadyTooSoon),
    "ready-while-loading": ("ready-means-ready", ReadyWhileLoading),
    "port-of-its-own": ("port-from-aip", PortOfItsOwn),
    "health-route-of-its-own": ("health-route-from-aip", HealthRouteOfItsOwn),
    "predict-route-of-its-own": ("predict-route-from-aip", PredictRouteOfItsOwn),
    "outputs-instead": ("predictions-out", OutputsInstead),
    "first-instance-only": ("one-prediction-an-instance", FirstInstanceOnly),
    "no-parameters": ("parameters-optional", NoParameters),
    "small-batches": ("batch-of-64", SmallBatches),
    "one-spelling-of-json": ("json-content-types", OneSpellingOfJson),
    "answers-as-html": ("answers-as-json", AnswersAsHtml),
    "fails-on-other-types": ("other-content-types", FailsOnOtherTypes),
    "fails-on-empty-bodies": ("empty-body", FailsOnEmptyBodies),
    "fails-on-malformed-json": ("malformed-json", FailsOnMalformedJson),
    "fails-on-other-json": ("not-a-request", FailsOnOtherJson),
    "fails-on-no-instances": ("no-instances", FailsOnNoInstances),
    "errors-as-detail": ("error-body", ErrorsAsDetail),
    "broken-by-a-bad-body": ("survives-bad-bodies", BrokenByABadBody),
    "knows-every-route": ("unknown-routes", KnowsEveryRoute),
    "answers-get": ("other-methods", AnswersGet),
    "refuses-two-megabytes": ("body-of-1-5-mb", RefusesTwoMegabytes),
    "refuses-ten-megabytes": ("body-of-10-mb", RefusesTenMegabytes),
    "hangs-up-beyond-ten-megabytes": ("body-beyond-10-mb", HangsUpBeyondTenMegabytes),
    "unhealthy-when-busy": ("health-under-load", UnhealthyWhenBusy),
    "four-readers": ("slow-clients", FourReaders),
    "drops-everything-on-sigterm": ("answers-on-sigterm", DropsEverythingOnSigterm),
    "ignores-sigterm": ("ends-on-sigterm", IgnoresSigterm),
}
# Those that only a container can show.
CONTAINER_FAULTS: dict[str, tuple[str, type[SmallServer]]] = {
    "needs-a-user-name": ("random-user", NeedsAUserName),
    "writes-to-the-root": ("read-only-root", WritesToTheRoot),
    "needs-the-network": ("no-network", NeedsTheNetwork),
}
