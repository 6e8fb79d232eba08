"""docs/checks.md is what the rules say."""

from scripts.checks_page import PAGE, page
from vertex_torchserve.archive_check.rule_table import RULES


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "stale: run python -m scripts.checks_page"


def test_it_has_every_rule() -> None:
    assert all(f"### {rule.name}\n" in PAGE.read_text() for rule in RULES)
