"""Short requests to a server that answers long ones at the same time.

    apt-get install wrk
    python -m benchmarks.short_beside_long

all-MiniLM-L6-v2 through the whole server in this Python, the clients on the same cores. Short requests of one
text each are sent over one connection and over eight: by themselves, and while one client, and two, send
requests of 64 texts of 200 words, one after the other. All take turns in each round; the medians of the
rounds are compared. Writes benchmarks/results/short_beside_long.KIND.json and .md; ends with 1 when the p99
of the short ones beside long ones is more than three times that without.
"""

import argparse
import contextlib
import http.client
import json
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.client_load import INSTANCES, load
from benchmarks.contenders import clean_up_on_sigterm, package_minilm
from benchmarks.model_alone import WORDS
from benchmarks.peers_report import Row, median
from benchmarks.published import installed_versions, publish, table
from vertex_torchserve.serving.local_server import ServingProcess

CONNECTIONS = (1, 8)
LONG_TEXTS, LONG_WORDS = 64, 200
MOST_TIMES = 3.0
READY_SECONDS = 300.0
LONG_CLIENTS = (0, 1, 2)


class LongRequests:
    """Clients that send long requests, one after the other, while the block lasts.

    Args:
        port: The server's, on loopback.
        clients: How many.

    Attributes:
        answered: With the status 200.
        failed: The others.
    """

    def __init__(self, port: int, clients: int) -> None:
        self.answered = self.failed = 0
        self._port = port
        self._lock = threading.Lock()
        self._begun, self._ended = threading.Barrier(clients + 1), threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]

    def __enter__(self) -> "LongRequests":
        for thread in self._threads:
            thread.start()
        self._begun.wait(READY_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        words = (WORDS * LONG_WORDS)[: LONG_WORDS + LONG_TEXTS]
        texts = [" ".join(words[number : number + LONG_WORDS]) for number in range(LONG_TEXTS)]
        body = json.dumps({"instances": texts})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=READY_SECONDS)
        with contextlib.closing(connection):
            self._begun.wait(READY_SECONDS)
            while not self._ended.is_set():
                connection.request("POST", INSTANCES.path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                with self._lock:
                    self.answered += response.status == 200
                    self.failed += response.status != 200


def measure(port: int, rounds: int, seconds: float) -> list[Row]:
    """A row for each round, count of connections and count of clients that send long ones."""
    load(INSTANCES, port, CONNECTIONS[-1], max(2.0, seconds / 3))  # all workers loaded, the JVM warm
    rows: list[Row] = []
    for number in range(rounds):
        for connections in CONNECTIONS:
            for clients in LONG_CLIENTS:
                with LongRequests(port, clients) as long:
                    found = load(INSTANCES, port, connections, seconds)
                if long.failed:
                    raise SystemExit(f"{long.failed} long requests were not answered with 200")
                row = {"round": number + 1, "way": _way(clients), "connections": connections}
                rows.append({**row, **vars(found), "long_answered": long.answered})
                sys.stderr.write(f"{rows[-1]}\n")
    return rows


def _way(clients: int) -> str:
    return f"beside {clients} of long ones" if clients else "alone"


def report(rows: list[Row]) -> tuple[str, list[str]]:
    """The table, and what was not reached."""
    lines, failures = [], []
    for connections in CONNECTIONS:
        for clients in LONG_CLIENTS:
            rate, p50, p99, long = (
                median(rows, _way(clients), figure, connections=connections)
                for figure in ("requests_per_second", "p50_ms", "p99_ms", "long_answered")
            )
            times = p99 / median(rows, _way(0), "p99_ms", connections=connections)
            told = f"{times:.2f} (at most {MOST_TIMES:g})" if clients else ""
            figures = (f"{figure:.0f}" for figure in (rate, p50, p99))
            lines.append((connections, _way(clients), *figures, told, f"{long:.0f}"))
            if times > MOST_TIMES:
                failures.append(f"p99 at {connections} {_way(clients)}: {times:.2f} times that alone")
    failed = sum(row["failed"] for row in rows)
    if failed:
        failures.append(f"{failed} short requests not answered with 200")
    columns = ("connections", "short ones", "requests/s", "p50", "p99", "p99 / alone", "long ones meanwhile")
    text = (
        f"Short: a text a request; long: {LONG_TEXTS} texts of {LONG_WORDS} words each. Times in ms, "
        "medians of the rounds:\n\n"
        f"{table(columns, lines, numbers=True)}"
    )
    return text, failures


def main() -> int:
    """Measure and publish; 1 when the number was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default 10)")
    parser.add_argument("--quick", action="store_true", help="one round of 4 seconds; nothing is published")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("there is no wrk; apt-get install wrk")
    clean_up_on_sigterm()
    rounds, seconds = (1, 4.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    with tempfile.TemporaryDirectory(prefix="short-beside-long-") as store:
        package_minilm(Path(store), "--engine", "onnxruntime")
        with ServingProcess({"AIP_STORAGE_URI": store}) as server:
            server.wait_ready(READY_SECONDS)
            rows = measure(urlsplit(server.base_url).port or 0, rounds, seconds)
    text, failures = report(rows)
    lost = "\n".join(f"- {failure}" for failure in failures) or "Nothing."
    publish(
        "short_beside_long", "Short requests beside long ones",
        {"rounds": rounds, "seconds": seconds, "client": "wrk, 1 thread"},
        rows, f"{text}\n\n## Not reached\n\n{lost}", trial=arguments.quick,
        programs={"ours": installed_versions(sys.executable)},
    )  # fmt: skip
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
