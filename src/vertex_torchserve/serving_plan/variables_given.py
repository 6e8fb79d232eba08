"""Environment variables as a command line gives them: `NAME=VALUE`, and files of such lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, raise_problems


def variables_given(pairs: Sequence[str], files: Sequence[Path]) -> dict[str, str]:
    """The variables of `--env-file` and `--env`; of one that is given twice the last counts, `--env` last.

    A file has one `NAME=VALUE` a line, as docker's `--env-file` reads it: the value is all behind the first
    `=`, quotes included; empty lines, and those that begin with `#`, are left out.

    Args:
        pairs: Each `NAME=VALUE`.
        files: Text files, UTF-8.

    Raises:
        InputError: For every file that can't be read and every entry that is no `NAME=VALUE`.
    """
    problems: list[Problem] = []
    entries: list[tuple[str, str]] = []
    for file in files:
        try:
            entries += _lines(file)
        except InputError as error:
            problems += error.problems
    entries += [("--env", pair) for pair in pairs]
    for origin, entry in entries:
        name, equals, _ = entry.partition("=")
        if not equals or not name:
            # What was meant as a value may be secret, so the entry is shown up to its name.
            problems.append(
                Problem(f"{origin}: {name or '='!r} is not NAME=VALUE", "write the variable as NAME=VALUE")
            )
    raise_problems(problems)
    return {name: value for name, _, value in (entry.partition("=") for _, entry in entries)}


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(
            Problem(f"--env-file {file} can't be read: {reason}", "give a text file of NAME=VALUE lines")
        ) from error
    for number, line in enumerate(text.split("\n"), start=1):
        entry = line.removesuffix("\r").lstrip()
        if entry and not entry.startswith("#"):
            yield f"--env-file {file}, line {number}", entry
