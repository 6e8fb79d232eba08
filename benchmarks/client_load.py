"""A client of an embedding server, whatever its requests look like: its answers checked, and its load."""

import json
import math
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contenders import ask

LUA = Path(__file__).with_name("texts.lua")
LEAST_COSINE = 0.9999
ANSWER_SECONDS = 180.0
Vector = list[float]


@dataclass(frozen=True)
class Protocol:
    """How a server is asked for the vectors of texts.

    Attributes:
        path: Where to.
        texts_field: The field of the JSON body that holds the list of texts.
        vectors_of: Takes the vectors out of an answer.
        fields: The other fields of the body.
    """

    path: str
    texts_field: str
    vectors_of: Callable[[Any], list[Vector]]
    fields: Mapping[str, str] = field(default_factory=dict)

    def body(self, texts: Sequence[str]) -> bytes:
        """One request for all the texts."""
        return json.dumps({**self.fields, self.texts_field: texts}).encode()

    def vectors(self, port: int, texts: Sequence[str]) -> list[Vector]:
        """Ask once for all the texts.

        Raises:
            SystemExit: When the answer is not 200.
        """
        answer = ask(port, self.path, self.body(texts), seconds=ANSWER_SECONDS)
        if answer.status != 200:
            raise SystemExit(f"{self.path} was answered {answer.status}: {answer.body!r}")
        return self.vectors_of(json.loads(answer.body))


INSTANCES = Protocol("/predictions/model", "instances", lambda answer: answer["predictions"])


@dataclass(frozen=True)
class Load:
    """What a client saw; `requests_per_second` counts the answers with 200 alone, `failed` the others."""

    requests_per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    failed: int = 0


def cosine(one: Vector, other: Vector) -> float:
    """Of two vectors; 0 when they differ in length."""
    if len(one) != len(other):
        return 0.0
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def least_cosine(answers: Sequence[Vector], vectors: Sequence[Vector]) -> float:
    """The least that any answer has in common with what it should be."""
    return min(cosine(*pair) for pair in zip(answers, vectors, strict=True))


def vectors_at_once(protocol: Protocol, port: int, texts: Sequence[str]) -> list[Vector]:
    """One request a text, all at the same time."""
    with ThreadPoolExecutor(len(texts)) as pool:
        return list(pool.map(lambda text: protocol.vectors(port, [text])[0], texts))


def load(protocol: Protocol, port: int, concurrency: int, seconds: float) -> Load:
    """Run wrk with so many connections, once the server has nothing left to do of the last run."""
    protocol.vectors(port, ["a text"])
    return run_wrk(LUA, port, concurrency, seconds, protocol.path, protocol.body(["%s"]).decode())


def run_wrk(script: Path, port: int, connections: int, seconds: float, *arguments: str) -> Load:
    """Run wrk with a script whose result is that of texts.lua.

    Args:
        script: The script.
        port: The server's, on loopback.
        connections: How many.
        seconds: How long.
        arguments: The script's own.
    """
    answer = subprocess.run(
        ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:.0f}s",
         "--timeout", "120s", "--script", str(script), f"http://127.0.0.1:{port}", "--", *arguments],
        stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 180,
    )  # fmt: skip
    found = json.loads(answer.stdout.splitlines()[-1])
    rate = round((found["requests"] - found["not_200"]) / found["seconds"], 1)
    return Load(rate, found["p50_ms"], found["p99_ms"], found["not_200"] + found["no_answer"])
