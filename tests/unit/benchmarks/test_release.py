"""What the release check reads from pip and pyproject.toml, and what it calls wrong."""

from pathlib import Path
from typing import Any

from benchmarks.release.fresh_environment import versions_looked_at
from benchmarks.release.judgement import problems
from benchmarks.release.resolution import floors, untried
from benchmarks.release.tables import described

# Of pip 23.2, 24.2 and 26.
PIP = """\
Processing /tmp/dist/vertex_torchserve-0.1.0-py3-none-any.whl (from vertex-torchserve==0.1.0)
Collecting rich>=14
  Obtaining dependency information for rich>=14 from https://index/25/rich-15.0.0-py3-none-any.whl.metadata
  Downloading rich-15.0.0-py3-none-any.whl.metadata (18 kB)
Collecting google-genai<3,>=1 (from google-cloud-aiplatform)
  Using cached google_genai-2.34.0-py3-none-any.whl.metadata (50 kB)
INFO: pip is looking at multiple versions of google-genai to determine which version is compatible
  Downloading google_genai-2.33.0-py3-none-any.whl.metadata (50 kB)
  Downloading kfp-2.17.3.tar.gz (301 kB)
Processing /wheels/torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (from vertex-torchserve==0.1.0)
Downloading rich-15.0.0-py3-none-any.whl (243 kB)
Installing collected packages: rich
"""
PROJECT = """\
[project]
dependencies = ["rich>=14", "typer>=0.20"]
[project.optional-dependencies]
kfp = ["kfp>=2.17,<3", "typer>=0.24"]
serving = ["vertex-torchserve[kfp]", "torchserve==0.12.0", "tokenizers"]
dev = ["pytest>=8"]
docs = ["mkdocs>=1.6"]
"""


def found(**changes: Any) -> dict[str, Any]:
    installation = {
        "what": "wheel [all]", "pip": "24.2", "seconds": 61, "packages": 118, "megabytes": 2100,
        "again": {"google-genai": ["2.34.0", "2.33.0"]}, "most_versions": 2,
    }  # fmt: skip
    return {
        "python": "3.13.0", "date": "2026-11-26", "installations": [installation], "failed": {},
        "seconds": {
            "shown_help": 0.2, "pipeline": 3, "own_handler": 20, "reference_handler": 25, "demo": 60,
        },
        "versions": {"all": {"torch": "2.15.0", "rich": "14.0.0"}},
        "extras": {"": {"bytes": 23_262_540}, "all": {"bytes": 2_091_973_113}},
        **changes,
    }  # fmt: skip


def test_the_versions_that_pip_looked_at() -> None:
    assert versions_looked_at(PIP) == {
        "vertex-torchserve": ["0.1.0"],
        "rich": ["15.0.0"],
        "google-genai": ["2.34.0", "2.33.0"],
        "kfp": ["2.17.3"],
        "torch": ["2.13.0+cpu"],
    }


def test_the_floors_of_what_users_install(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert floors(tmp_path / "pyproject.toml") == {
        "rich": "14", "typer": "0.20", "kfp": "2.17", "torchserve": "0.12.0",
    }  # fmt: skip


def test_a_floor_is_tried_where_one_environment_had_it() -> None:
    declared = {"rich": "14", "typer": "0.20", "httpx": "0.27"}
    assert untried(declared, [{"rich": "14.0.0", "typer": "0.24.0"}, {"typer": "0.20.0"}]) == {
        "httpx": "0.27"
    }


def test_nothing_is_wrong_with_what_is_well() -> None:
    assert problems({"3.13": found(), "3.14": {"versions": {"torch": "2.15.0"}}}) == []


def test_what_failed_and_where_pip_wandered() -> None:
    wandered = found()["installations"][0] | {"again": {"boto": ["4", "3", "2", "1"]}, "most_versions": 4}
    results = {
        "3.12": found(failed={"demo": "Traceback\nKeyError: 'a'\n"}, installations=[wandered]),
        "3.14": {"problem": "no\nno wheels"},
        "lowest": found(floors={"rich": "14", "httpx": "0.27"}, installations=[wandered]),
    }
    assert problems(results) == [
        "3.12: demo: KeyError: 'a'",
        "3.12: pip looked at 4 versions of boto for wheel [all]",
        "3.14: no wheels",
        "lowest: httpx 0.27 is declared, and nothing was tried with it",
    ]


def test_losses_are_in_the_text_for_readers() -> None:
    results = {
        "3.13": found(),
        "cpu": found(
            seconds={"shown_help": 0.2, "pipeline": 3, "own_handler": 2}, failed={"demo": "KeyError: 'a'"}
        ),
        "3.14": {"versions": {"torch": "2.15.0", "transformers": "5.24.0"}},
    }
    text = described(results)
    assert "| 3.13.0 | 24.2 | wheel [all] | 61 | 118 | 2100 | 2 (google-genai) |" in text
    assert "| `[all]`: `demo` | 60 | failed |" in text
    assert "| `[all]` | 2,092 | 2,092 |" in text
    assert "Python 3.14 was not at hand: nothing was installed. For it uv chose 2 packages" in text
    assert "| `[all]`: the same with the reference handler | 25 |  |" in text
    assert text.endswith(
        "Not as it should be:\n\n- cpu: demo: KeyError: 'a'\n- cpu: reference_handler was not tried"
    )
    assert described({"3.13": found()}).endswith("All of it is as it should be.")
