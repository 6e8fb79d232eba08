"""Collects what is seen while a smoke test runs; the report is made of it at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.answer_differences import Difference
from vertex_torchserve.serving.log.phases import Phase
from vertex_torchserve.smoke_test.report import Check, LoadStep


@dataclass
class Recording:
    """What was seen so far.

    Attributes:
        checks: In the order in which they were made.
        ready_seconds: From the start of the server until it was ready; None before.
        first_answer_seconds: How long the first request took; None before.
        load: The load run; empty before.
        differences: Where answers differ from what is expected.
        predictions: The answer, once it is right.
    """

    checks: list[Check] = field(default_factory=list)
    ready_seconds: float | None = None
    first_answer_seconds: float | None = None
    load: tuple[LoadStep, ...] = ()
    differences: tuple[Difference, ...] = ()
    predictions: list[Any] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether none has failed yet."""
        return all(check.ok for check in self.checks)

    def has_failed(self, name: str) -> bool:
        """Whether a check of this name was made and failed."""
        return any(check.name == name and not check.ok for check in self.checks)

    @contextmanager
    def check(self, name: str) -> Iterator[list[str]]:
        """Add a check: passed with what the block saw, or failed with the ServingError it raised.

        Args:
            name: The check's.

        Yields:
            A list for what was seen.
        """
        seen: list[str] = []
        began = time.monotonic()
        try:
            yield seen
        except ServingError as error:
            ok, detail = False, error.message.strip()
        else:
            ok, detail = True, "; ".join(seen)
        self.checks.append(Check(name, ok, detail, round(time.monotonic() - began, 3)))

    def phases(self, told_by_the_log: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """The server's phases and the first answer; where the log tells none, how long it took to be ready.

        Args:
            told_by_the_log: The server's.
        """
        phases = told_by_the_log
        if not phases and self.ready_seconds is not None:
            phases = (Phase("ready", self.ready_seconds),)
        if self.first_answer_seconds is not None:
            phases = (*phases, Phase("first answer", self.first_answer_seconds))
        return phases
