"""docs/security.md: the table is the one of the attacks that are made, and each test in it exists."""

import re
import subprocess
import sys

from benchmarks.hostile.attack_table import DOCUMENT, tables, written
from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.defences import DEFENCES
from testbed.deadlines import PROGRAM_SECONDS
from tests.documents import ROOT

# `[name](../tests/....py)`: a node of pytest.
TEST = re.compile(r"\[`(?P<name>test_[^`]+)`\]\(\.\./(?P<file>tests/[\w/]+\.py)\)")
TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_each_attack_has_its_row_and_each_row_its_attack() -> None:
    assert set(DEFENCES) == set(ATTACKS)
    assert all(defence.does and defence.test for defence in DEFENCES.values())
    assert re.findall(r"^\| `([^`]+)` \|", tables(), re.MULTILINE) == list(ATTACKS)


def test_the_tables_are_what_is_measured_and_tested_now() -> None:
    assert tables() in TEXT
    assert written(TEXT) == TEXT, "run python -m benchmarks.hostile.attack_table"


def test_each_test_that_is_named_exists() -> None:
    named = {f"{found['file']}::{found['name']}" for found in TEST.finditer(TEXT)}
    assert {defence.test for defence in DEFENCES.values()} < named
    files = sorted({node.partition("::")[0] for node in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(
        [*command, "-o", "addopts=--import-mode=importlib"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PROGRAM_SECONDS,
    ).stdout.splitlines()  # fmt: skip
    nodes = {node for line in listed for node in (line, line.partition("[")[0])}
    assert named <= nodes, sorted(named - nodes)
