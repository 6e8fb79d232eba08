"""What a part of the proof found, as the JSON file and the page have it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["right", "wrong", "not measured", "failed", "out of time"]
Row = dict[str, Any]
GOOD = frozenset({"right", "not measured"})


@dataclass(frozen=True)
class Finding:
    """What a part found.

    Attributes:
        outcome: `right` or `wrong` by what the part checks; `not measured` where this machine can't show it;
            `failed` when the part ended with an error; `out of time` when it was ended at its deadline.
        said: In a sentence or two; of a failure the last lines of what it wrote.
        rows: Figures, of JSON types; the keys are the columns of a table.
        steps: What clients of the server saw (`LoadStep`'s fields), which the page draws.
    """

    outcome: Outcome
    said: str
    rows: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)

    def as_json(self) -> Row:
        """Its fields."""
        return {**vars(self), "rows": list(self.rows)}


class Rows(list[Row]):
    """Figures of a part that are on disk as soon as they are there: a part may be ended at its deadline.

    Args:
        file: Gets a line of JSON for each row.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def append(self, row: Row) -> None:
        """Take a row, and write it."""
        super().append(row)
        line = json.dumps(row)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        sys.stderr.write(f"{line}\n")

    def extend(self, rows: Iterable[Row]) -> None:
        """Take several."""
        for row in rows:
            self.append(row)


def judged(problems: list[str], said: str, rows: list[Row], steps: list[Row] | None = None) -> Finding:
    """A finding that is wrong when there is a problem.

    Args:
        problems: What is not as it must be.
        said: What is right about it when there is none.
        rows: Figures.
        steps: What clients saw.
    """
    if problems:
        return Finding("wrong", "; ".join(problems), rows, steps or [])
    return Finding("right", said, rows, steps or [])
