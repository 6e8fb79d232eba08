"""What a chat in OpenAI's form costs beside the same request in the handler's own form.

    PYTHONPATH=handlers python -m benchmarks.chat_cost [--rounds N]

A tiny model that writes, so that the form counts for as much as it ever can, is asked for the same tokens in
both forms in turn: through a started server, and in this process without one. What is told is CPU time, of
the server's processes or of this one, so that other programs on the machine change little. A round is five
requests in each form, every second one begins with the other form, and the ratio is that of all rounds
together. Writes benchmarks/results/chat_cost.KIND.json and .md; ends with 1 when a chat costs over 5 % more.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from benchmarks.published import installed_versions, publish, table
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.packaged_models import Served, package
from vertex_torchserve.serving.local_server import ServingProcess

MOST = 1.05
ROUNDS = 16
REQUESTS = 5
LENGTHS = (16, 64)
MESSAGES = [{"role": "user", "content": "Tell me a story about a dragon."}]
Body = dict[str, Any]


class Asked(NamedTuple):
    """Something that answers.

    Attributes:
        ask: Sends a body; returns the answer's.
        seconds: CPU time that it has taken so far.
    """

    ask: Callable[[Body], Any]
    seconds: Callable[[], float]


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    rounds = parser.parse_args().rounds
    measured: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="vts-") as name:
        mar = package("text-generation", Path(name))
        for where, opened in (("server", server(mar)), ("handler", handler(mar, Path(name, "unpacked")))):
            with opened as asked:
                measured += [
                    {"where": where, "tokens": length, **measure(asked, length, rounds)} for length in LENGTHS
                ]
    lines = [
        (f"{row['where']}, {row['tokens']} tokens", row["own_milliseconds"], row["chat_milliseconds"],
         f"{row['ratio']:.3f}", f"{row['lower']:.3f} to {row['upper']:.3f}")
        for row in measured
    ]  # fmt: skip
    columns = ("asked", "own form: CPU ms", "chat: CPU ms", "ratio", "middle half of the rounds")
    publish(
        "chat_cost", "What a chat costs beside the handler's own form",
        {"rounds": rounds, "requests of each form a round": REQUESTS}, measured,
        table(columns, lines, numbers=True), trial=rounds < ROUNDS,
        programs={"this": installed_versions(sys.executable)},
    )  # fmt: skip
    return int(any(row["ratio"] > MOST for row in measured))


@contextmanager
def server(mar: Path) -> Iterator[Asked]:
    """Asks a server with one worker of one thread, over one connection."""
    environment = {"AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    with ServingProcess(environment) as process, httpx.Client(timeout=ANSWER_SECONDS) as client:
        process.wait_ready(READY_SECONDS)
        url = f"{process.base_url}/predictions/model"
        entrypoint = psutil.Process(process.pid)
        family = [entrypoint, *entrypoint.children(recursive=True)]
        yield Asked(
            lambda body: client.post(url, json=body).raise_for_status().json(),
            lambda: sum(sum(one.cpu_times()[:2]) for one in family),
        )


@contextmanager
def handler(mar: Path, folder: Path) -> Iterator[Asked]:
    """Asks the loaded handler behind the envelope, in this process, on one thread."""
    import torch

    torch.set_num_threads(1)
    served = Served(mar, folder)
    yield Asked(lambda body: served.answer(body)[1], time.process_time)


def bodies(length: int) -> dict[str, Body]:
    """The same request in both forms.

    Args:
        length: How many tokens are written, no fewer and no more.
    """
    fields = {"messages": MESSAGES, "max_tokens": length, "temperature": 0, "min_tokens": length}
    own = {"max_new_tokens": length, "min_new_tokens": length, "do_sample": False, "return_full_text": False}
    return {"own": {"instances": [{"messages": MESSAGES, "parameters": own}]}, "chat": fields}


def measure(asked: Asked, length: int, rounds: int) -> dict[str, float]:
    """CPU milliseconds a request of both forms, and their ratio.

    Args:
        asked: Answers.
        length: Tokens that are written.
        rounds: How many.

    Raises:
        SystemExit: The forms didn't get the same text.
    """
    sent = bodies(length)
    chat, own = asked.ask(sent["chat"]), asked.ask(sent["own"])
    texts = (chat["choices"][0]["message"]["content"], own["predictions"][0][0]["generated_text"])
    if texts[0] != texts[1] or chat["usage"]["completion_tokens"] != length:
        raise SystemExit(f"the forms are answered with other texts: {texts}")
    taken: dict[str, list[float]] = {"own": [], "chat": []}
    for number in range(rounds):
        for form in ("own", "chat") if number % 2 else ("chat", "own"):
            before = asked.seconds()
            for _ in range(REQUESTS):
                asked.ask(sent[form])
            taken[form].append(1000 * (asked.seconds() - before) / REQUESTS)
    ratios = [chat / own for chat, own in zip(taken["chat"], taken["own"], strict=True)]
    lower, _, upper = statistics.quantiles(ratios, n=4)
    return {
        "own_milliseconds": round(statistics.mean(taken["own"]), 2),
        "chat_milliseconds": round(statistics.mean(taken["chat"]), 2),
        "ratio": sum(taken["chat"]) / sum(taken["own"]),
        "lower": lower,
        "upper": upper,
    }


if __name__ == "__main__":
    sys.exit(main())
