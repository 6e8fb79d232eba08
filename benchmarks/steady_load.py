"""Clients that ask for one prediction after the other, for as long as they are let."""

import http.client
import json
import threading
from types import TracebackType

from benchmarks.model_alone import text

REQUESTS_A_CONNECTION = 200
ANSWER_SECONDS = 60.0


class SteadyLoad:
    """Clients with a connection each, while the block lasts; each opens a new one after 200 requests.

    Args:
        port: The server's, on loopback.
        clients: How many ask at once.

    Attributes:
        answered: Requests with the status 200 and one prediction.
        failed: The others.
    """

    def __init__(self, port: int, clients: int) -> None:
        self.answered = self.failed = 0
        self._port = port
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(number * 10_000_000,)) for number in range(clients)
        ]

    def __enter__(self) -> "SteadyLoad":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self, number: int) -> None:
        while not self._ended.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
            try:
                for _ in range(REQUESTS_A_CONNECTION):
                    if self._ended.is_set():
                        break
                    number += 1
                    self._count(_is_answered(connection, number))
            except (OSError, http.client.HTTPException):
                self._count(False)
            finally:
                connection.close()

    def _count(self, right: bool) -> None:
        with self._lock:
            self.answered += right
            self.failed += not right


def _is_answered(connection: http.client.HTTPConnection, number: int) -> bool:
    body = json.dumps({"instances": [text(number)]})
    connection.request("POST", "/predictions/model", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    return response.status == 200 and len(json.loads(answer)["predictions"]) == 1
