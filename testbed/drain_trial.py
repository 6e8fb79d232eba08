"""Eight clients that never pause, a SIGTERM at a random moment, and what became of every request."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, STOP_SECONDS
from testbed.jvm_server import SLEEPING_HANDLER, JvmServer, model_config
from testbed.processes import wait_until

CLIENTS = 8
WORKERS = 2
BATCH_SIZE = 4
HANDLER_SECONDS = 0.05


@dataclass
class Fates:
    """What became of the requests that were sent on a connection the server had accepted.

    Attributes:
        answered: Those answered with 200 and the right content.
        lost: One line for each of the others.
        last_answer: When the last one was answered, by `time.monotonic()`.
    """

    answered: int = 0
    lost: list[str] = field(default_factory=list)
    last_answer: float = 0.0


@dataclass(frozen=True)
class Trial:
    """One SIGTERM.

    Attributes:
        answered: Requests answered rightly.
        lost: One line for each accepted request that was not.
        exit_code: The JVM's, as a shell would show it.
        stop_seconds: From the last answer (or the SIGTERM, if later) to the exit.
        orphans: Worker processes that outlived the JVM by more than the grace.
    """

    answered: int
    lost: list[str]
    exit_code: int
    stop_seconds: float
    orphans: int


def run_trial(work: Path, main_class: str, seed: int, *, grace_seconds: float = 1.0) -> Trial:
    """Start, hammer, SIGTERM, and account for everything.

    Args:
        work: An empty folder.
        main_class: `jvm_server.LAUNCHER` or `jvm_server.STOCK`.
        seed: Decides the moment of the SIGTERM: after how many answers, and how long after.
        grace_seconds: How long a worker may outlive the JVM.
    """
    moment = random.Random(seed)  # noqa: S311 (a moment, not a secret)
    config = model_config(workers=WORKERS, batch_size=BATCH_SIZE)
    archive = write_archive(work / "store", SLEEPING_HANDLER, config=config)
    with JvmServer(work / "run", archive, main_class=main_class) as server:
        server.wait_loaded(WORKERS)
        workers = server.workers()
        assert len(workers) == WORKERS
        fates = Fates()
        lock = threading.Lock()
        ended = threading.Event()
        # Every other one keeps its connection; the rest open a new one for each request.
        clients = [
            threading.Thread(target=_client, args=(server.http, number, number % 2 == 0, fates, lock, ended))
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        try:
            enough = moment.randint(2 * CLIENTS, 10 * CLIENTS)
            wait_until(lambda: fates.answered >= enough or bool(fates.lost), ANSWER_SECONDS, "answers")
            time.sleep(moment.uniform(0, HANDLER_SECONDS))
            server.terminate()
            terminated = time.monotonic()
            code = server.process.wait(STOP_SECONDS)
            stopped = time.monotonic()
        finally:
            ended.set()  # from here on the port may be another program's
        for client in clients:
            client.join()
        _, orphans = psutil.wait_procs(workers, timeout=grace_seconds)
    return Trial(
        answered=fates.answered,
        lost=fates.lost,
        exit_code=code if code >= 0 else 128 - code,
        stop_seconds=stopped - max(fates.last_answer, terminated),
        orphans=len(orphans),
    )


def _client(
    port: int, number: int, keep_alive: bool, fates: Fates, lock: threading.Lock, ended: threading.Event
) -> None:
    """Ask again and again until the port refuses a connection, or belongs to nobody we know."""
    connection: http.client.HTTPConnection | None = None
    request = number * 1_000_000
    while not ended.is_set():
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
        request += 1
        fate, stays = _ask(connection, request)
        with lock:
            if fate is None:
                fates.answered += 1
                fates.last_answer = time.monotonic()
            else:
                fates.lost.append(f"{'kept' if keep_alive else 'new'} connection: {fate}")
        if not (keep_alive and stays):
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def _ask(connection: http.client.HTTPConnection, request: int) -> tuple[str | None, bool]:
    """What went wrong, None when nothing did; and whether the connection stays open."""
    body = json.dumps({"id": request, "sleep": HANDLER_SECONDS})
    try:
        connection.request("POST", "/predictions/model", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return repr(error), False
    if response.status != 200 or answer != str(request):
        return f"{response.status} {answer!r}", not response.will_close
    return None, not response.will_close
