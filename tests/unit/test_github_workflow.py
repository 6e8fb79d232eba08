"""The GitHub workflows: by their published schema, with actions that can't change under us and no rights."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.release.trial import PYTHONS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# From the tags of the actions' own repositories.
PINNED = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
}


def schema_check(*paths: Path) -> int:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, paths),
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode


def unpinned(text: str) -> list[str]:
    """The `uses:` without a full commit and the version that it is."""
    uses = [line.strip() for line in text.splitlines() if re.match(r"\s*(- )?uses:", line)]
    pinned = re.compile(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    return [line for line in uses if not pinned.fullmatch(line)]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_two() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "weekly.yml"]


def test_the_published_schema(tmp_path: Path) -> None:
    assert schema_check(*WORKFLOWS) == 0
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "runs_on:", 1))
    assert schema_check(broken) == 1


def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    text = workflow.read_text()
    assert unpinned(text) == []
    assert unpinned("steps:\n- uses: actions/checkout@v7\n  uses: a/b@0123abc # v1.0.0") == [
        "- uses: actions/checkout@v7",
        "uses: a/b@0123abc # v1.0.0",
    ]
    for name, commit, version in re.findall(r"uses: ([\w./-]+)@(\w+) # (\S+)", text):
        assert PINNED[name] == (commit, version)


def test_it_has_no_rights_and_no_secrets(workflow: Path) -> None:
    text = workflow.read_text()
    # YAML 1.1 reads the key `on` as true.
    content: dict[Any, Any] = yaml.safe_load(text)
    assert content["permissions"] == {"contents": "read"}
    assert [job for job in content["jobs"].values() if "permissions" in job] == []
    assert "secrets." not in text
    assert "pull_request_target" not in content[True]
    assert content["concurrency"]["group"]
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"] == {"persist-credentials": False}
            # A title or a branch name in a script would be run.
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ci.yml", {".ci/run", "make cloudbuild-local"}),
        (
            "weekly.yml",
            {
                "make cloudbuild-local",
                "make release-check",
                "PYTHONPATH=src python -m scripts.java.newer_libraries",
            },
        ),
    ],
)
def test_it_runs_what_a_laptop_runs(name: str, expected: set[str]) -> None:
    workflow = ROOT / ".github/workflows" / name
    commands = {
        step["run"]
        for job in yaml.safe_load(workflow.read_text())["jobs"].values()
        for step in job["steps"]
        if "run" in step
    }
    assert expected <= commands
    subprocess.run(
        ["make", "--dry-run", "cloudbuild-local", "release-check"], cwd=ROOT, check=True, capture_output=True
    )


def test_a_release_is_tried_on_each_python_that_the_check_knows() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text())["jobs"]["release"]["steps"]
    [pythons] = [step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})]
    assert sorted(pythons.split()) == sorted(PYTHONS)
