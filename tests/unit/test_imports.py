"""Who may import whom (docs/architecture.md), how long a file may be, how light an import is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "vertex_torchserve"
# A part may import itself and parts with a lower number; of those with the same number none.
LAYERS = {
    "__init__": 0,
    "errors": 0,
    "packaged_files": 1,
    "ignore_patterns": 1,
    "resource_rules": 1,
    "docker": 2,
    "gcs": 2,
    "serving": 3,
    "model_archive": 4,
    "smoke_test": 5,
    "vertex_ai": 5,
    "emulator": 6,
    "component": 7,
    "demo": 8,
    "cli": 9,
}
# What each part of `serving` imports of the others.
SERVING = {
    "settings": set(),
    "ports": set(),
    "image_names": set(),
    "envelope": set(),
    "probe": {"settings"},
    "archive": {"settings"},
    "log": {"settings", "envelope"},
    "machine": {"settings", "archive"},
    "health": {"settings", "archive"},
    "torchserve": {"settings", "archive", "envelope", "health", "log", "machine"},
    "local_server": {"settings", "ports", "health", "log"},
    "entrypoint": {"settings", "archive", "health", "log", "machine", "torchserve"},
}
MOST_LINES = 300
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
    """What a module imports, by full names, in functions too; of a package's module the module's name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full in NAMES.values() else node.module)
    return names


def full_name(module: Path) -> str:
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = {module: full_name(module) for module in MODULES}


def packages_of(name: str) -> Iterator[str]:
    """The packages that are imported before a module of theirs."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(module: Path) -> None:
    own = part_of(module)
    for name in imported_names(module):
        if name.startswith("vertex_torchserve."):
            part = name.split(".")[1]
            assert part == own or LAYERS[part] < LAYERS[own], f"{module.name} imports {name}"


@pytest.mark.parametrize("part", SERVING)
def test_the_wings_of_serving_import_what_the_table_says(part: str) -> None:
    folder = PACKAGE / "serving" / part
    own = f"vertex_torchserve.serving.{part}"
    imported = {
        name.split(".")[2]
        for module in (folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")])
        for name in imported_names(module)
        if name.startswith("vertex_torchserve.serving.") and not f"{name}.".startswith(f"{own}.")
    }
    assert imported == SERVING[part]


def test_the_table_of_serving_is_complete() -> None:
    assert {name.split(".")[2] for name in NAMES.values() if ".serving." in name} == set(SERVING)


def test_there_is_no_circle() -> None:
    graph = {}
    for module, own in NAMES.items():
        direct = {name for name in imported_names(module) if name in NAMES.values()}
        with_packages = direct | {package for name in direct for package in packages_of(name)}
        graph[own] = with_packages - {own, *packages_of(own)}
    TopologicalSorter(graph).prepare()  # a CycleError names the modules


@pytest.mark.parametrize("folder", ["src", "handlers", "component", "scripts", "benchmarks"])
def test_no_file_is_long(folder: str) -> None:
    files = (ROOT / folder).rglob("*.py")
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


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
