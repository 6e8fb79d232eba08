"""What one bad request does to others: a poisoned one in a batch of sixteen, and thousands of malformed ones.

    python -m benchmarks.isolation

Writes benchmarks/results/isolation.KIND.json and isolation.md.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.contenders import (
    CONTENDERS,
    HTTP_PORT,
    Contender,
    ask,
    open_to_all,
    prepare,
    wait_until_answered,
)
from benchmarks.malformed import malformed_bodies
from benchmarks.published import publish, table
from vertex_torchserve.docker import Container
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

REQUESTS = 16
CLIENTS = 8
READY_SECONDS = 180.0
HANG_SECONDS = 10.0
HANDLER = """\
import logging


class Poisonable:
    def initialize(self, context):
        pass

    def handle(self, instances, context):
        logging.getLogger(__name__).info("batch of %d", len(instances))
        if "poison" in instances:
            raise RuntimeError("poisoned")
        return ["fine"] * len(instances)
"""
# One worker, which waits long enough for all of the requests: they are one batch.
ONE_BATCH = f"minWorkers: 1\nmaxWorkers: 1\nbatchSize: {REQUESTS}\nmaxBatchDelay: 1000\n"
GOOD, POISON = b'{"instances": ["text"]}', b'{"instances": ["poison"]}'


def make_store(store: Path, config: str | None) -> Path:
    """An archive of the handler above, with or without a model-config.yaml."""
    source = store.with_name(f"{store.name}-source")
    source.mkdir()
    store.mkdir()
    handler = source / "poisonable.py"
    handler.write_text(HANDLER)
    (model := source / "model").mkdir()
    (model / "model.bin").write_bytes(b"no weights are needed")
    if config:
        (model / "model-config.yaml").write_text(config)
    build_model_archive(ModelArchiveSpec(model, handler=str(handler)), store)
    open_to_all(store)
    return store


def poisoned_batches(contender: Contender, store: Path, rounds: int) -> dict[str, Any]:
    """Sixteen requests at once, one of them poisoned, again and again; statuses of both kinds."""
    with contender.start(store) as container, ThreadPoolExecutor(REQUESTS) as pool:
        wait_until_answered(container, GOOD, READY_SECONDS)
        port = container.published_port(HTTP_PORT)
        good: Counter[int] = Counter()
        poisoned: Counter[int] = Counter()
        for _ in range(rounds):
            bodies = [GOOD] * (REQUESTS - 1) + [POISON]
            statuses = list(pool.map(lambda body: ask(port, "/predictions/model", body).status, bodies))
            good.update(statuses[:-1])
            poisoned[statuses[-1]] += 1
        batches = container.logs().count(f"batch of {REQUESTS}")
    return {"rounds": rounds, "whole_batches": batches, "good": dict(good), "poisoned": dict(poisoned)}


def malformed_requests(contender: Contender, store: Path, count: int, seed: int) -> dict[str, Any]:
    """Many malformed requests, eight at a time; what came back, and whether the workers lived."""
    with contender.start(store) as container, ThreadPoolExecutor(CLIENTS) as pool:
        wait_until_answered(container, GOOD, READY_SECONDS)
        port = container.published_port(HTTP_PORT)
        before = settled_workers(container)
        bodies = malformed_bodies(random.Random(seed), count)  # noqa: S311 (repeatable on purpose)
        statuses: Counter[str] = Counter()
        for status in pool.map(lambda body: _status(port, body), bodies):
            statuses[status] += 1
        after = workers(container)
        then = ask(port, "/predictions/model", GOOD)
        state = container.state().status
    return {
        "requests": count,
        "statuses": dict(sorted(statuses.items())),
        "workers_before": len(before),
        "workers_lost": len(set(before) - set(after)),
        "container": state,
        "good_request_after": then.status,
    }


def _status(port: int, body: bytes) -> str:
    """The status; `hang` for no answer in time, `broken` for a connection that ended without one."""
    answer = ask(port, "/predictions/model", body, seconds=HANG_SECONDS)
    if answer.status:
        return str(answer.status)
    return "hang" if answer.body.startswith(b"TimeoutError") else "broken"


def workers(container: Container) -> list[str]:
    """The process ids of TorchServe's workers."""
    return container.execute("pgrep", "-f", "model_service_worker").split()


def settled_workers(container: Container) -> list[str]:
    """The workers' process ids, once they are the same for three seconds."""
    deadline = time.monotonic() + READY_SECONDS
    found, since = workers(container), time.monotonic()
    while time.monotonic() < min(deadline, since + 3):
        if (now := workers(container)) != found:
            found, since = now, time.monotonic()
        time.sleep(0.2)
    return found


def report(results: dict[str, dict[str, Any]]) -> str:
    """Both tables."""
    batch = [
        (
            name,
            found["batch"]["rounds"],
            found["batch"]["whole_batches"],
            _counts(found["batch"]["good"]),
            _counts(found["batch"]["poisoned"]),
        )
        for name, found in results.items()
    ]
    fuzz = [
        (
            name,
            _counts(found["malformed"]["statuses"]),
            sum(_server_errors(found)),
            found["malformed"]["statuses"].get("hang", 0),
            f"{found['malformed']['workers_lost']} of {found['malformed']['workers_before']}",
            found["malformed"]["good_request_after"] or "no answer",
        )
        for name, found in results.items()
    ]
    batch_columns = ("", "rounds", "whole batches seen", "15 good requests each", "the poisoned one")
    fuzz_columns = ("", "statuses", "5xx", "hang", "workers lost", "a good request after")
    return (
        f"{REQUESTS} concurrent requests in one batch, one of which makes the handler raise:\n\n"
        f"{table(batch_columns, batch)}\n\n"
        f"{results['ours']['malformed']['requests']} malformed bodies, {CLIENTS} at a time:\n\n"
        f"{table(fuzz_columns, fuzz)}"
    )


def _counts(counts: dict[Any, int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in counts.items())


def _server_errors(found: dict[str, Any]) -> Iterator[int]:
    statuses = found["malformed"]["statuses"]
    return (count for status, count in statuses.items() if status.startswith("5"))


def verdict(ours: dict[str, Any]) -> list[str]:
    """What ours did not reach."""
    batch, malformed = ours["batch"], ours["malformed"]
    checks = {
        "a round was not one batch": batch["whole_batches"] >= batch["rounds"],
        "a good request of a poisoned batch failed": set(batch["good"]) == {200},
        "a poisoned request did not fail": all(400 <= status <= 500 for status in batch["poisoned"]),
        "a malformed request was answered 5xx": not any(_server_errors(ours)),
        "a malformed request was not answered": not {"hang", "broken"} & set(malformed["statuses"]),
        "a worker died": malformed["workers_lost"] == 0 and malformed["workers_before"] > 0,
        "a good request failed afterwards": malformed["good_request_after"] == 200,
    }
    return [name for name, reached in checks.items() if not reached]


def main() -> int:
    """Run both parts in both contenders; 1 when ours is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=10_000, help="malformed requests (default 10000)")
    parser.add_argument("--rounds", type=int, default=10, help="poisoned batches (default 10)")
    parser.add_argument("--seed", type=int, default=3, help="of the malformed requests (default 3)")
    parser.add_argument("--quick", action="store_true", help="300 malformed requests, 2 batches")
    arguments = parser.parse_args()
    bodies = 300 if arguments.quick else arguments.bodies
    rounds = 2 if arguments.quick else arguments.rounds
    prepare()
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="isolation-") as scratch:
        Path(scratch).chmod(0o755)
        one_batch = make_store(Path(scratch) / "one-batch", ONE_BATCH)
        as_it_is = make_store(Path(scratch) / "as-it-is", None)
        for contender in CONTENDERS:
            results[contender.name] = {
                "batch": poisoned_batches(contender, one_batch, rounds),
                "malformed": malformed_requests(contender, as_it_is, bodies, arguments.seed),
            }
            sys.stderr.write(f"{contender.name}: {results[contender.name]}\n")
    settings = {"bodies": bodies, "rounds": rounds, "seed": arguments.seed, "quick": arguments.quick}
    publish(
        "isolation",
        "What one bad request does to others",
        settings,
        results,
        report(results),
        trial=arguments.quick,
    )
    failures = verdict(results["ours"])
    for failure in failures:
        sys.stderr.write(f"NOT REACHED: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
