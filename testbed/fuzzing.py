"""Senseless, nearly valid and valid instances for a task, and what a loaded model answers to them."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as limits
from hypothesis import strategies as st

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples

ACCEPTED = {200, 400, 413, 415, 422}
"""An answer, or a refusal that is the client's mistake."""
SENDING = 4
"""The most requests in one batch."""
SLOW = ("max_new_tokens", "max_length", "min_new_tokens", "min_length", "num_beams", "num_return_sequences")
"""Parameters that cost time when they are large, which says nothing about robustness."""

TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", " ", "[MASK]", "[SEP] [CLS]", "\x00", "\ud800", "{}", "a" * 3000, "word " * 600]),
)
NUMBER = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, 2, 3.0, -1, 127, 128, 2**63, 10**400]))
SCALAR = st.one_of(st.none(), st.booleans(), NUMBER, TEXT, st.binary(max_size=20))
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

# Files that are none, or begin like one.
FILE = st.builds(
    lambda head, rest: {"b64": base64.b64encode(head + rest).decode()},
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x24\0\0\0WAVEfmt ", b"fLaC"]
    ),
    st.binary(max_size=60),
) | st.sampled_from(
    [{"b64": "no base64"}, "file:///etc/passwd", "http://127.0.0.1/x.png", {"data": {"b64": ""}}]
)


def instances(name: str, interface: Any) -> st.SearchStrategy[Any]:
    """Valid instances with valid, nearly valid and senseless values for fields and parameters."""
    texts = st.lists(TEXT, max_size=4)
    field = st.one_of(
        TEXT, texts, st.lists(texts, max_size=3), FILE if interface.media else ANYTHING, ANYTHING
    )
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(interface.fields, field))
    parameters = st.fixed_dictionaries(
        {},
        optional={
            key: st.integers(-1, 9) if key in SLOW else of_schema(schema) | ANYTHING
            for key, schema in interface.parameters.items()
        },
    )
    wrapped = st.fixed_dictionaries(
        {"inputs": field | fields | st.sampled_from(samples(name))}, optional={"parameters": parameters}
    )
    mixed = st.tuples(st.sampled_from(samples(name)), fields, parameters).map(
        lambda parts: {**(parts[0] if isinstance(parts[0], dict) else {}), **parts[1], "parameters": parts[2]}
    )
    valid = st.builds(
        lambda sample, change: {"inputs": sample, "parameters": {**CATALOGUE[name].parameters, **change}},
        st.sampled_from(samples(name)), st.just({}) | parameters,
    )  # fmt: skip
    return st.one_of(ANYTHING, TEXT, wrapped, wrapped, mixed, mixed, valid)


def of_schema(schema: Any) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of(*map(of_schema, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXT | st.just("About {}."),
        "boolean": st.booleans(),
        "integer": st.integers(min_value=0, max_value=400) | st.integers(),
        "number": NUMBER,
        "null": st.none(),
        "array": st.lists(TEXT, max_size=4),
    }
    return kinds.get(schema.get("type"), ANYTHING)


class Fuzzed:
    """A tiny model that is sent generated instances, each in a request of its own, several in a batch.

    Args:
        name: Of the catalogue.
        folder: For the model.

    Attributes:
        statuses: How many requests got each status.
        mistakes: Instances that got another status than `ACCEPTED`, and the answers.
    """

    def __init__(self, name: str, folder: Path) -> None:
        from hf_handler.registry import task_class

        self.name = name
        self.task = CATALOGUE[name].task
        make(name, folder)
        settings: dict[str, Any] = {"task": self.task, "max_batch_tokens": 512}
        if "max_new_tokens" in task_class(self.task).interface.parameters:
            settings["parameters"] = {"max_new_tokens": 4}
        config = {"handler": settings}
        write_manifest(folder, config=json.dumps(config))
        self._send: Callable[..., Any] = load(folder, envelope=None)
        self._instances = instances(name, task_class(self.task).interface)
        self.statuses: Counter[int] = Counter()
        self.mistakes: list[tuple[Any, Any]] = []

    def run(self, least: int, first_seed: int = 0) -> None:
        """Send `least` instances or a few more."""
        number = first_seed
        while self.statuses.total() < least:
            self._run_once(least - self.statuses.total(), number)
            number += 1

    def _run_once(self, wanted: int, number: int) -> None:
        @seed(number)
        @limits(
            max_examples=max(1, wanted // 2), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(st.lists(self._instances, min_size=1, max_size=SENDING))
        def send(several: list[Any]) -> None:
            result = self._send(*({"instances": [instance]} for instance in several))
            for instance, status, answer in zip(several, result.statuses, result.answers, strict=True):
                self.statuses[status] += 1
                if status not in ACCEPTED:
                    self.mistakes.append((instance, answer))

        send()

    def is_alive(self) -> bool:
        """Whether a sample is still answered."""
        instance = {"inputs": samples(self.name)[0], "parameters": CATALOGUE[self.name].parameters}
        return bool(self._send({"instances": [instance]}).statuses == [200])
