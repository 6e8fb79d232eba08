"""The tables of handlers/README.md name every task and all that it can be sent."""

import re
from typing import Any

import pytest

from tests.documents import ROOT
from tests.unit.handlers.test_interface import TASKS, interface_of

pytestmark = pytest.mark.usefixtures("handler_path")

README = (ROOT / "handlers" / "README.md").read_text()


def rows(*headings: str) -> list[list[str]]:
    """The cells of the rows of every table whose first heading is one of these."""
    found: list[list[str]] = []
    inside = False
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif inside:
            found.append(cells)
        elif cells[0] in headings:
            inside = True
    return found


def named(text: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([^`]+)`", text))


OF_TASKS = rows("task", "task (other names)")
OF_GENERATION = set[str]().union(*(named(row[0]) for row in rows("parameter of generation")))
OF_READING = set[str]().union(*(named(row[0]) for row in rows("parameter of reading")))
OF_DETAILS = set[str]().union(*(named(row[0]) for row in rows("parameter")))
(WITHOUT_EFFECT,) = (named(line) for line in README.splitlines() if line.startswith("- **Without effect**"))


def test_generation_s_parameters_are_all_there() -> None:
    from hf_handler.text.generation_parameters import GENERATION, GENERATION_ALIASES

    assert {*GENERATION, *GENERATION_ALIASES} == OF_GENERATION


def test_reading_s_parameters_are_all_there() -> None:
    from hf_handler.text.generation_parameters import TOLD
    from hf_handler.text.reading_parameters import READING, READING_ALIASES

    assert {*READING, *READING_ALIASES} == OF_READING
    assert set(TOLD) == OF_DETAILS


@pytest.mark.parametrize("task", TASKS)
def test_a_task_and_its_parameters_are_in_the_tables(task: str) -> None:
    interface: Any = interface_of(task)
    about = [row for row in OF_TASKS if task in named(row[0])]
    assert about, f"{task} is in no table"
    told = set[str]().union(*(named(cell) for row in about for cell in row[1:]))
    if any("of generation" in cell and "of generation `" not in cell for row in about for cell in row):
        told |= OF_GENERATION
    if any("of reading" in cell for row in about for cell in row):
        told |= OF_READING
    if any("`details`" in cell for row in about for cell in row):
        told |= OF_DETAILS
    if interface.media:
        told |= WITHOUT_EFFECT
    missing = set(interface.parameters) - told
    assert not missing, f"{task}: the tables don't name {', '.join(sorted(missing))}"


def test_other_names_of_tasks_are_there() -> None:
    from hf_handler.registry import ALIASES

    for alias, task in ALIASES.items():
        assert any({alias, task} <= named(row[0]) for row in OF_TASKS), alias
