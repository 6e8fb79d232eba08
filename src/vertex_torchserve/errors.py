"""The one error family: what was wrong, what to do about it, and the exit code it means.

Bad input exits with 2, failed work with 1. Messages name the value given and what is accepted; the
fix is one sentence that says what to change.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with the input.

    Attributes:
        message: The value that was given and what is accepted instead.
        fix: What the user should change, in one sentence.
    """

    message: str
    fix: str


class VertexTorchServeError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        message: What went wrong, naming the value.
        fix: What to do about it; may be empty when the message says it all.
    """

    exit_code = 1

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}\n  fix: {fix}" if fix else message)
        self.message = message
        self.fix = fix


class InputError(VertexTorchServeError):
    """The input can't be used; nothing was done.

    Args:
        problems: Everything that is wrong, so that the user can correct all of it at once.
    """

    exit_code = 2

    def __init__(self, *problems: Problem) -> None:
        if len(problems) == 1:
            super().__init__(*problems[0])
        else:
            lines = [f"{len(problems)} problems with the input:"]
            for number, problem in enumerate(problems, start=1):
                lines.append(f"{number}. {problem.message}\n   fix: {problem.fix}")
            super().__init__("\n".join(lines))
        self.problems = problems


class ServingError(VertexTorchServeError):
    """TorchServe did not start, did not load the model, or did not answer."""


class RegistryError(VertexTorchServeError):
    """Vertex AI refused or failed an operation."""


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one `InputError` for all problems, or return when there are none.

    Raises:
        InputError: When `problems` is not empty.
    """
    if problems:
        raise InputError(*problems)


@contextmanager
def told_together(problems: list[Problem]) -> Iterator[None]:
    """Add what an `InputError` of the block says to a list, to be told with what else is wrong.

    Args:
        problems: Gets its problems.
    """
    try:
        yield
    except InputError as error:
        problems.extend(error.problems)
