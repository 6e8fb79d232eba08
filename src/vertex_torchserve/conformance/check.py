"""A check: a function that tries a server, and whose docstring is its documentation."""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass

from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun, Result, Severity, Verdict

_FIX = "Fix: "


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: The function's, with dashes.
        group: What it is about: the name of the folder it lies in.
        severity: What its failure means.
        source: Where the contract says it.
        about: The function's docstring. Its first line says what must be true, its last paragraph the fix.
        look: The function. It returns what was seen, or raises Broken or NotRun.
    """

    name: str
    group: str
    severity: Severity
    source: str
    about: str
    look: Callable[[Trial], str]

    @property
    def fix(self) -> str:
        """What to do when it fails."""
        return " ".join(self.about.split("\n\n")[-1].removeprefix(_FIX).split())

    def run(self, trial: Trial) -> Verdict:
        """Make the check."""
        began = time.monotonic()
        try:
            result, evidence = Result.PASSED, self.look(trial)
        except Broken as broken:
            result, evidence = Result.FAILED, str(broken)
        except NotRun as reason:
            result, evidence = Result.NOT_RUN, str(reason)
        seconds = round(time.monotonic() - began, 2)
        return Verdict(self.name, self.group, self.severity, result, evidence, self.source, self.fix, seconds)


def must(source: str) -> Callable[[Callable[[Trial], str]], Check]:
    """Make a check of a function: an image that fails it breaks the contract."""
    return lambda look: _check(look, Severity.MUST, source)


def should(source: str) -> Callable[[Callable[[Trial], str]], Check]:
    """Make a check of a function: an image that fails it can be used, with care."""
    return lambda look: _check(look, Severity.SHOULD, source)


def _check(look: Callable[[Trial], str], severity: Severity, source: str) -> Check:
    name, group = look.__name__.replace("_", "-"), look.__module__.split(".")[-2]
    return Check(name, group, severity, source, inspect.cleandoc(look.__doc__ or ""), look)
