"""The tests of the Java classes, written in Java beside this file: each one is a test here too."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

SOURCES = Path(__file__).with_name("src")
TESTS = [
    (path.stem, name)
    for path in sorted(SOURCES.rglob("*Test.java"))
    for name in re.findall(r"@Test\s+void (\w+)\(", path.read_text())
]


@pytest.fixture(scope="module")
def results(
    run_java_script: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], str]:
    """Of each test that ran, what JUnit says of its failure; empty when it passed."""
    reports = tmp_path_factory.mktemp("junit")
    run = run_java_script("run_tests", str(reports))
    report = reports / "TEST-junit-jupiter.xml"
    assert report.exists(), run.stdout + run.stderr
    return {
        (case.attrib["classname"].rpartition(".")[2], case.attrib["name"].removesuffix("()")): "\n".join(
            problem.text or "" for kind in ("failure", "error") for problem in case.iter(kind)
        )
        for case in ElementTree.parse(report).iter("testcase")
    }


@pytest.mark.parametrize(("of", "name"), TESTS)
def test_java(results: dict[tuple[str, str], str], of: str, name: str) -> None:
    assert results[of, name] == ""


def test_every_java_test_ran(results: dict[tuple[str, str], str]) -> None:
    assert sorted(results) == sorted(TESTS)
