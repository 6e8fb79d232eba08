"""Each Java package imports those that its package-info.java names, in one direction."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[4] / "src" / "vertex_torchserve" / "serving" / "java" / "src"
TOP = SOURCES / "vertextorchserve"
PACKAGES = [TOP, *sorted(folder for folder in TOP.iterdir() if folder.is_dir())]


def stated(package: Path) -> set[str]:
    """The packages in the last paragraph of package-info.java: `Imports: {@code http}, {@code queue}.`"""
    text = " ".join((package / "package-info.java").read_text().replace(" * ", " ").split())
    paragraph = re.search(r"<p>Imports: (none|\{@code [^.]*)\. \*/", text)
    assert paragraph, f"{package.name} does not say what it imports"
    return set(re.findall(r"\{@code (\w+)\}", paragraph[1]))


def used(package: Path) -> set[str]:
    """The packages of ours that the files of a package name, imported or in full."""
    names = set[str]()
    for path in package.glob("*.java"):
        for line in path.read_text().splitlines():
            if not line.startswith("package "):
                names |= set(re.findall(r"\bvertextorchserve\.([a-z]\w*)\.", line))
                assert not re.search(r"\bvertextorchserve\.[A-Z]", line), (
                    f"{path.name} imports the top package"
                )
    return names - {package.name}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_imports_what_it_says(package: Path) -> None:
    assert used(package) == stated(package)


def test_there_is_no_circle() -> None:
    order = list(TopologicalSorter({package.name: stated(package) for package in PACKAGES}).static_order())
    assert order[-1] == "vertextorchserve"
