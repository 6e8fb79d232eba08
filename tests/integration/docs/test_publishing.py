"""docs/publishing.md says what cloudbuild.yaml and the Makefile do."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.documents import ROOT, blocks


@pytest.fixture
def substitutions() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
    found: dict[str, Any] = config["substitutions"]
    return found


def test_the_command_gives_substitutions_that_there_are(substitutions: dict[str, Any]) -> None:
    submit = blocks("docs/publishing.md", "sh")[1]
    given = re.findall(r"(_[A-Z]+)=", submit)
    assert given == ["_REGION", "_REPOSITORY", "_TAG", "_COMMIT"]
    assert set(given) <= set(substitutions)
    assert "--config cloudbuild.yaml" in submit


def test_the_table_has_every_substitution(substitutions: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (`_.*?) \|", (ROOT / "docs/publishing.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"_[A-Z_]+", row)}
    assert named == set(substitutions) - {"_IMAGES"}


def test_the_local_run_is_a_target(substitutions: dict[str, Any]) -> None:
    assert blocks("docs/publishing.md", "sh")[3] == "make cloudbuild-local\n"
    dry = subprocess.run(
        ["make", "--dry-run", "cloudbuild-local"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    given = set(re.findall(r"--substitution (\w+)=", dry.stdout))
    assert given == {"_BASE_IMAGE", "_BUILD_IMAGE"}
    assert given <= set(substitutions)
    text = (ROOT / "docs/publishing.md").read_text()
    [stated] = re.findall(r"CLOUDBUILD_LOCAL_ARGS='(.+)'", text)
    assert stated in dry.stdout
