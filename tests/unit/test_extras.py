"""The README's table of extras is pyproject.toml's."""

import re
import tomllib

from tests.documents import ROOT


def test_each_extra_has_a_line_and_each_line_an_extra() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    table = re.findall(
        r"^\| `vertex-torchserve\[(\w+)\]` \| .+ \| [\d,]* ?\|$", (ROOT / "README.md").read_text(), re.M
    )
    assert sorted(table) == sorted(declared)
