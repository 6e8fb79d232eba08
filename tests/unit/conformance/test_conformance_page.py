"""docs/conformance.md is what the checks say."""

from pathlib import Path

import pytest

from scripts.conformance_page import PAGE, page
from vertex_torchserve.conformance.check import Check
from vertex_torchserve.conformance.check_table import CHECKS


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "stale: run python -m scripts.conformance_page"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_says_what_must_be_true_and_what_to_do(check: Check) -> None:
    first, *_, fix = check.about.split("\n\n")
    assert first.endswith(".")
    assert fix.startswith("Fix: ")
    assert f"### {check.name}\n" in PAGE.read_text()


def test_a_check_lies_in_the_file_of_its_name() -> None:
    folder = Path(__file__).parents[3] / "src/vertex_torchserve/conformance/checks"
    files = {file.stem for file in folder.rglob("*.py") if file.stem != "__init__"}
    assert files == {Path(check.look.__code__.co_filename).stem for check in CHECKS}
    assert [check.name.replace("-", "_") for check in CHECKS] == [
        Path(check.look.__code__.co_filename).stem for check in CHECKS
    ]
