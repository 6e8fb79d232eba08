"""The component as Kubeflow's gallery takes it, by the gallery's own rules.

Its validators are programs of its repository and in no package, so the rules are written here again, each
with its source: https://github.com/kubeflow/pipelines-components, fab64a9f35eebe0f18166ddd444931d2acd7433e.
"""

import ast
import importlib
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler
from kfp.dsl.graph_component import GraphComponent

from scripts.gallery import NAME, assemble
from tests.documents import ROOT

SEMANTIC_VERSION = re.compile(r"(>=|<=|==)?\d+\.\d+\.\d+")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(ROOT, tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def metadata(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "metadata.yaml").read_text())
    return content


def test_the_required_files_are_there(folder: Path) -> None:
    """docs/CONTRIBUTING.md, Required Files and Naming Conventions."""
    assert {"__init__.py", "component.py", "metadata.yaml", "README.md", "OWNERS"} <= {
        each.name for each in folder.iterdir()
    }
    assert re.fullmatch(r"[a-z][a-z0-9_]*", folder.name)
    assert folder.parts[-3:] == ("components", "deployment", NAME)


def test_the_metadata(metadata: dict[str, Any]) -> None:
    """scripts/validate_metadata/validate_metadata.py."""
    optional = {"tags", "ci", "links"}
    assert [name for name in metadata if name not in optional] == [
        "name", "stability", "dependencies", "lastVerified",
    ]  # fmt: skip
    assert metadata["name"] == NAME
    assert metadata["stability"] in {"experimental", "alpha", "beta", "stable"}
    assert set(metadata["dependencies"]) <= {"kubeflow", "external_services"}
    assert "Pipelines" in [each["name"] for each in metadata["dependencies"]["kubeflow"]]
    for each in [item for items in metadata["dependencies"].values() for item in items]:
        assert SEMANTIC_VERSION.fullmatch(each["version"]), each
    assert all(isinstance(tag, str) for tag in metadata["tags"])
    assert set(metadata["ci"]) == {"skip_dependency_probe"}


def test_it_was_verified_within_a_year(metadata: dict[str, Any]) -> None:
    """scripts/validate_metadata/validate_metadata.py: set `lastVerified` anew when this fails."""
    assert abs(datetime.now(UTC) - metadata["lastVerified"]) < timedelta(days=365)


def test_there_is_an_approver(folder: Path) -> None:
    """scripts/validate_metadata/validate_metadata.py: a name in the line below `approvers:`."""
    assert re.search(r"^approvers:\n\s*- ?\w", (folder / "OWNERS").read_text(), re.MULTILINE)


def test_modules_import_the_standard_library_and_kfp(folder: Path) -> None:
    """.github/scripts/check_imports; another package takes a line in its import_exceptions.yaml."""
    imported = set()
    for name in ("component.py", "example_pipelines.py"):
        for node in ast.parse((folder / name).read_text()).body:
            if isinstance(node, ast.ImportFrom | ast.Import):
                named = (
                    [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                )
                imported |= {str(module).partition(".")[0] for module in named}
    assert imported - set(sys.stdlib_module_names) - {"kfp", "pytest"} == {
        "vertex_torchserve",
        "kfp_components",
    }


def test_every_parameter_is_described_in_the_readme(folder: Path) -> None:
    """scripts/generate_readme: made of the docstring, metadata.yaml, OWNERS and example_pipelines.py."""
    text = (folder / "README.md").read_text()
    for heading in ("# Upload Pytorch Model", "## Overview", "## Inputs", "## Usage Examples", "## Metadata"):
        assert f"{heading}\n" in text
    rows = re.findall(r"^\| `(\w+)` \| `[^`]+` \| (?:Required|`.*?`) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == len({name for name, _ in rows}) == 46
    assert dict(rows)["model_id"] == "ID of a new model; a number when blank."
    assert "- Approvers:\n    - vertex-torchserve-maintainers" in text


def test_the_component_and_its_examples_compile(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scripts/validate_examples, scripts/compile_check; its root is the package `kfp_components`."""
    (tmp_path / "kfp_components").symlink_to(folder.parents[2])
    monkeypatch.syspath_prepend(str(tmp_path))
    package = f"kfp_components.components.deployment.{NAME}"
    component = getattr(importlib.import_module(package), NAME)
    compiler.Compiler().compile(component, str(tmp_path / "component.yaml"))
    examples = vars(importlib.import_module(f"{package}.example_pipelines")).values()
    pipelines = [each for each in examples if isinstance(each, GraphComponent)]
    assert len(pipelines) == 1
    compiler.Compiler().compile(pipelines[0], str(tmp_path / "pipeline.yaml"))
