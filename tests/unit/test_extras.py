"""The README's table of extras, and the package's version, are pyproject.toml's."""

import re
import tomllib

from tests.documents import ROOT
from vertex_torchserve import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_package_says_the_version_of_its_release() -> None:
    assert PROJECT["version"] == __version__


def test_each_extra_has_a_line_and_each_line_an_extra() -> None:
    table = re.findall(
        r"^\| `vertex-torchserve\[(\w+)\]` \| .+ \| [\d,]* ?\|$", (ROOT / "README.md").read_text(), re.M
    )
    assert sorted(table) == sorted(PROJECT["optional-dependencies"])
