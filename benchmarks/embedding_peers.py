"""Sentence embeddings: our handler through TorchServe, LitServe, infinity and huggingface-inference-toolkit.

    apt-get install wrk
    python -m benchmarks.embedding_peers

all-MiniLM-L6-v2 in each, float32, on this machine's cores, the client on the same ones; no Docker. Each peer
runs in a virtual environment of its own, made at the first run under build/peers/ (or `--venvs DIR`). Ours is
packaged with `--engine onnxruntime` and chooses its engine when it loads; the peers that can run an ONNX file
get the same one. All take turns in each round, in another order each time, while the other peers stand still;
the medians of the rounds are compared. Before anything is timed, each must answer what the model alone does:
one that doesn't is shown, and counts for nothing. Two loads: a short text a request at concurrency 1, 8 and
32; and 64 texts of 6 to 200 words a request, one request after the other; both beside the model alone in one
process, by torch and by onnxruntime.
Writes benchmarks/results/embedding_peers.KIND.json and .md, the plots and the README's table of speed; ends
with 1 when a target was not reached.
"""

import argparse
import contextlib
import http.client
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.client_load import (
    INSTANCES,
    LEAST_COSINE,
    Load,
    Protocol,
    least_cosine,
    load,
    vectors_at_once,
)
from benchmarks.contenders import ROOT, clean_up_on_sigterm, package_minilm
from benchmarks.model_alone import (
    MIXED_TEXTS,
    ModelAlone,
    mixed_requests,
    mixed_texts_per_second,
    text,
    texts_per_second,
)
from benchmarks.peer_servers import ENVIRONMENTS, PEERS, TOOLKIT_SOURCE, PeerServer, write_onnx_model
from benchmarks.peers_report import (
    ALONE,
    BUDGETS,
    CONCURRENCIES,
    ONNX_ALONE,
    OURS,
    THREADS,
    Row,
    report,
    sorted_way,
)
from benchmarks.published import Versions, installed_versions, publish
from benchmarks.speed_table import write as write_speed_table
from vertex_torchserve.serving.local_server import ServingProcess

CHECKED_TEXTS = 32
READY_SECONDS = 300.0
# They pass to our server; the published run is the one without.
SIZING_VARIABLES = (
    "VTS_WORKERS",
    "VTS_THREADS",
    "OMP_NUM_THREADS",
    "VTS_BATCH_SIZE",
    "VTS_MAX_BATCH_DELAY_MS",
)


@dataclass(frozen=True)
class Contender:
    """A server that is measured.

    Attributes:
        name: Shown.
        protocol: How it is asked.
        port: Of its HTTP.
        awake: Lets it run while it is measured.
    """

    name: str
    protocol: Protocol
    port: int
    awake: Callable[[], AbstractContextManager[None]]


def start(stack: contextlib.ExitStack, store: Path, venvs: Path) -> list[Contender]:
    """Start all of them, one after the other; all but ours stand still afterwards."""
    by_hand = {name: os.environ[name] for name in SIZING_VARIABLES if name in os.environ}
    server = stack.enter_context(ServingProcess({"AIP_STORAGE_URI": str(store), **by_hand}))
    server.wait_ready(READY_SECONDS)
    port = urlsplit(server.base_url).port
    assert port is not None  # noqa: S101 (for mypy)
    contenders = [Contender(OURS, INSTANCES, port, contextlib.nullcontext)]
    for peer in PEERS:
        running = stack.enter_context(PeerServer(peer, venvs))
        running.wait_ready()
        running.pause()
        contenders.append(Contender(peer.name, peer.protocol, running.port, running.awake))
    return contenders


def check(contender: Contender, alone: ModelAlone) -> float:
    """The least cosine with the model alone: of short texts asked for at once, and of a mixed request."""
    short, mixed = [text(number) for number in range(CHECKED_TEXTS)], mixed_requests()[0]
    with contender.awake():
        answers = vectors_at_once(contender.protocol, contender.port, short)
        answers += contender.protocol.vectors(contender.port, mixed)
    expected = alone.vectors(short) + alone.vectors(mixed)
    return round(least_cosine(answers, expected), 6) if len(answers) == len(expected) else 0.0


def mixed_load(contender: Contender, seconds: float) -> Load:
    """Requests of 64 texts, one after the other on one connection; whole requests only are counted."""
    bodies = [contender.protocol.body(texts) for texts in mixed_requests()]
    took: list[float] = []
    failed, started = 0, time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=READY_SECONDS)
    with contextlib.closing(connection):
        while time.perf_counter() < started + seconds:
            asked = time.perf_counter()
            body = bodies[(len(took) + failed) % len(bodies)]
            connection.request("POST", contender.protocol.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                took.append(round(1000 * (time.perf_counter() - asked), 2))
            else:
                failed += 1
        rate = round(len(took) / (time.perf_counter() - started), 3)
    return Load(rate, statistics.median(took), max(took), failed) if took else Load(0.0, failed=failed)


def measure(
    contenders: list[Contender], alone: dict[str, ModelAlone], rounds: int, seconds: float
) -> tuple[list[Row], list[Row]]:
    """A row for each round, way and, of short texts, concurrency: of short texts, and of mixed lengths."""
    for contender in contenders:
        with contender.awake():  # all workers loaded, the JVM warm
            load(contender.protocol, contender.port, CONCURRENCIES[-1], max(2.0, seconds / 3))
    short: list[Row] = []
    mixed: list[Row] = []
    for number in range(rounds):
        first = number % len(contenders)
        turn = contenders[first:] + contenders[:first]
        for concurrency in CONCURRENCIES:
            for contender in turn:
                with contender.awake():
                    found = load(contender.protocol, contender.port, concurrency, seconds)
                short.append(_row(number, contender.name, concurrency=concurrency, **vars(found)))
            for way, process in alone.items():
                rate = texts_per_second([process], concurrency, seconds)
                short.append(_row(number, way, concurrency=concurrency, **vars(Load(round(rate, 1)))))
        for way, process in alone.items():
            for budget in (None, *BUDGETS):
                rate = mixed_texts_per_second(process, budget, seconds) / MIXED_TEXTS
                mixed.append(_row(number, sorted_way(way, budget), **vars(Load(round(rate, 3)))))
        for contender in turn:
            with contender.awake():
                found = mixed_load(contender, seconds)
            mixed.append(_row(number, contender.name, **vars(found)))
    return short, mixed


def _row(number: int, way: str, **figures: object) -> Row:
    row = {"round": number + 1, "way": way, **figures}
    sys.stderr.write(f"{row}\n")
    return row


def versions(venvs: Path) -> dict[str, Versions]:
    """Of what was measured."""
    peers = {environment.name: environment.versions(venvs) for environment in ENVIRONMENTS}
    return {OURS: installed_versions(sys.executable), **peers}


def main() -> int:
    """Prepare, measure and publish; 1 when a target was not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default 10)")
    parser.add_argument("--quick", action="store_true", help="one round of 3 seconds; nothing is published")
    parser.add_argument("--venvs", type=Path, default=ROOT / "build" / "peers", help="default build/peers")
    parser.add_argument("--toolkit-source", default=TOOLKIT_SOURCE, help=f"for pip; default {TOOLKIT_SOURCE}")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("there is no wrk; apt-get install wrk")
    rounds, seconds = (1, 3.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    clean_up_on_sigterm()
    venvs = arguments.venvs.resolve()
    for environment in ENVIRONMENTS:
        environment.prepare(venvs, arguments.toolkit_source)
    with tempfile.TemporaryDirectory(prefix="embedding-peers-") as scratch, contextlib.ExitStack() as stack:
        package_minilm(Path(scratch), "--engine", "onnxruntime")
        onnx = write_onnx_model(Path(scratch) / "model.mar", venvs)
        alone = {
            ALONE: stack.enter_context(ModelAlone(THREADS)),
            ONNX_ALONE: stack.enter_context(ModelAlone(THREADS, onnx)),
        }
        contenders = start(stack, Path(scratch), venvs)
        cosines = {contender.name: check(contender, alone[ALONE]) for contender in contenders}
        sys.stderr.write(f"{cosines}\n")
        if cosines[OURS] < LEAST_COSINE:
            raise SystemExit(f"ours answers something else: cosine {cosines[OURS]}")
        if all(cosines[peer.name] < LEAST_COSINE for peer in PEERS):
            raise SystemExit(f"no peer answers as the model alone does: {cosines}")
        short, mixed = measure(contenders, alone, rounds, seconds)
    document, failures = report(cosines, short, mixed)
    set_by_hand = [name for name in SIZING_VARIABLES if name in os.environ]
    settings = {
        "rounds": rounds, "seconds": seconds, "client": "wrk, 1 thread",
        "ours set by": ", ".join(f"{name}={os.environ[name]}" for name in set_by_hand) or "its defaults",
    }  # fmt: skip
    publish(
        "embedding_peers", "Sentence embeddings: ours and three other servers", settings,
        {"least_cosine": cosines, "short": short, "mixed": mixed}, document,
        trial=arguments.quick, programs=versions(venvs),
    )  # fmt: skip
    if not arguments.quick:
        write_speed_table()
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
