"""The README's table of extras, the version, and the Pythons that were tried are pyproject.toml's."""

import re
import tomllib
from typing import Any

from benchmarks.published import published
from tests.documents import ROOT
from vertex_torchserve import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_package_says_the_version_of_its_release() -> None:
    assert PROJECT["version"] == __version__


def release_results() -> dict[str, Any]:
    """By what was tried, of all kinds of machines: what installs doesn't depend on the processor."""
    found: dict[str, Any] = {}
    for report in reversed(published("release_check")):
        found |= report["results"]
    return found


def test_the_pythons_that_the_index_names_are_those_on_which_nothing_failed() -> None:
    results = release_results().values()
    runs = [found for found in results if "seconds" in found]
    failed = {found["python"] for found in runs if found["failed"] or "pipeline" not in found["seconds"]}
    worked = {found["python"].rpartition(".")[0] for found in runs if found["python"] not in failed}
    prefix = "Programming Language :: Python :: "
    named = [each.removeprefix(prefix) for each in PROJECT["classifiers"] if each.startswith(prefix)]
    assert named == sorted(worked)
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_each_extra_has_a_line_and_each_line_an_extra() -> None:
    table = re.findall(
        r"^\| `vertex-torchserve\[(\w+)\]` \| .+ \| [\d,]+ \|$", (ROOT / "README.md").read_text(), re.M
    )
    assert sorted(table) == sorted(PROJECT["optional-dependencies"])


def test_the_readme_has_the_sizes_that_were_found_without_cuda() -> None:
    text = (ROOT / "README.md").read_text()
    table = dict(re.findall(r"^\| `vertex-torchserve\[(\w+)\]` \| .+ \| ([\d,]+) \|$", text, re.MULTILINE))
    found = release_results()["cpu"]["extras"]
    sizes = {extra: f"{size['bytes'] / 1e6:,.0f}" for extra, size in found.items() if extra}
    assert sizes == {extra: table[extra] for extra in sizes}
    assert len(sizes) == 15
