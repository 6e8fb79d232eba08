"""Who may import whom (docs/architecture.md), and how light importing the package is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "vertex_torchserve"
# A part may import those of its own and lower layers; `serving` and `model_archive` share theirs, with
# the reader of archives in `serving`.
LAYERS = {
    "__init__": 0,
    "errors": 0,
    "packaged_files": 0,
    "ignore_patterns": 0,
    "resource_rules": 0,
    "docker": 1,
    "gcs": 1,
    "serving": 2,
    "model_archive": 3,
    "smoke_test": 4,
    "vertex_ai": 4,
    "emulator": 5,
    "component": 6,
    "demo": 7,
    "cli": 8,
}
FORBIDDEN_IN_SERVING = {
    "kfp",
    "typer",
    "rich",
    "httpx",
    "docker",
    "model_archiver",
    "transformers",
    "pydantic",
}


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_names(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "vertex_torchserve":
                names.update(f"vertex_torchserve.{alias.name}" for alias in node.names)
            else:
                names.add(node.module)
    return names


@pytest.mark.parametrize(
    "module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_go_one_way(module: Path) -> None:
    own = LAYERS[part_of(module)]
    for name in imported_names(module):
        if name.startswith("vertex_torchserve."):
            part = name.split(".")[1]
            assert LAYERS.get(part, 0) <= own, f"{module.name} imports {name}"


@pytest.mark.parametrize("module", sorted((PACKAGE / "serving").rglob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_images_is_light(module: Path) -> None:
    roots = {name.split(".")[0] for name in imported_names(module)}
    assert not roots & FORBIDDEN_IN_SERVING
    assert not any(name.startswith("google.cloud.aiplatform") for name in imported_names(module))


@pytest.mark.parametrize(
    ("library", "owner"),
    [("google.cloud.storage", "gcs"), ("google.cloud.aiplatform", "vertex_ai")],
)
def test_each_google_library_has_one_user(library: str, owner: str) -> None:
    users = {
        part_of(module)
        for module in PACKAGE.rglob("*.py")
        if any(f"{name}.".startswith(f"{library}.") for name in imported_names(module))
        or f"from google.cloud import {library.rsplit('.', maxsplit=1)[-1]}" in module.read_text()
    }
    assert users == {owner}


def test_importing_the_package_loads_nothing_heavy_and_configures_no_logging() -> None:
    program = (
        "import logging, sys, vertex_torchserve, vertex_torchserve.errors, vertex_torchserve.gcs, "
        "vertex_torchserve.serving.local_server\n"
        "heavy = {'torch', 'kfp', 'google.cloud.storage', 'google.cloud.aiplatform', 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)), logging.getLogger().handlers)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[] []\n"
