"""Each rule finds its fault, at its place, and finds nothing where there is none."""

from pathlib import Path

import pytest

from testbed.archive_faults import FAULTS, Fault
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.archive_check.rule import Rule
from vertex_torchserve.archive_check.rule_table import RULES

# It asks an image (tests/integration/images).
WITHOUT_A_FAULT = {"requirements-resolve"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}: {fault.said[:30]}")
def test_a_fault_is_found_by_its_rule_and_by_no_other(fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_bytes(fault.content())
    found = check_path(str(path)).findings
    assert [(each.rule, str(each.severity), each.where.removeprefix(f"{tmp_path}/")) for each in found] == [
        (fault.rule, fault.severity, fault.where)
    ]
    assert fault.said in found[0].message
    assert found[0].fix


def test_every_rule_has_a_fault() -> None:
    assert {rule.name for rule in RULES} == {fault.rule for fault in FAULTS} | WITHOUT_A_FAULT


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_must_be_true_and_what_to_do(rule: Rule) -> None:
    first, *_, fix = rule.about.split("\n\n")
    assert first.endswith(".")
    assert fix.startswith("Fix: ")


def test_a_rule_lies_in_the_file_of_its_name() -> None:
    for rule in RULES:
        assert Path(rule.find.__code__.co_filename).stem == rule.find.__name__
