"""Who may import whom (docs/architecture.md), how long a file may be, how light an import is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_graph import assert_no_circle, imported_names, modules_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "vertex_torchserve"
# A part may import itself and parts with a lower number; of those with the same number none.
LAYERS = {
    "__init__": 0,
    "errors": 0,
    "packaged_files": 1,
    "ignore_patterns": 1,
    "checkout": 1,
    "torch_builds": 1,
    "unfinished": 1,
    "url_credentials": 1,
    "process_identity": 1,
    "resource_rules": 1,
    "component_yaml": 2,
    "docker": 2,
    "image_presence": 3,
    "gcs": 2,
    "serving": 3,
    "archive_check": 4,
    "serving_plan": 4,
    "derived_image": 5,
    "handler_interface": 5,
    "image_facts": 5,
    "model_archive": 5,
    "smoke_test": 6,
    "vertex_ai": 6,
    "emulator": 7,
    "conformance": 7,
    "golden": 7,
    "local_service": 7,
    "model_project": 2,
    "doctor": 7,
    "release": 8,
    "component": 9,
    "kfp": 10,
    "demo": 10,
    "cli": 11,
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
    "shared_schemas": set(),
    "api_description": {"settings", "archive", "shared_schemas"},
    "java_libraries": set(),
    "torchserve": {
        "settings",
        "api_description",
        "archive",
        "envelope",
        "health",
        "java_libraries",
        "log",
        "machine",
    },
    "local_server": {"settings", "ports", "health", "log"},
    "fetching": {"settings", "archive", "log"},
    "entrypoint": {
        "settings",
        "api_description",
        "archive",
        "fetching",
        "health",
        "log",
        "machine",
        "torchserve",
    },
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


MODULES = modules_of(PACKAGE)


def names_in(module: Path) -> set[str]:
    return imported_names(module, MODULES.values())


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(module: Path) -> None:
    own = part_of(module)
    for name in names_in(module):
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
        for name in names_in(module)
        if name.startswith("vertex_torchserve.serving.") and not f"{name}.".startswith(f"{own}.")
    }
    assert imported == SERVING[part]


def test_the_table_of_serving_is_complete() -> None:
    assert {name.split(".")[2] for name in MODULES.values() if ".serving." in name} == set(SERVING)


def test_there_is_no_circle() -> None:
    assert_no_circle(MODULES)


@pytest.mark.parametrize("folder", ["src", "handlers", "component", "scripts", "benchmarks"])
def test_no_file_is_long(folder: str) -> None:
    files = (ROOT / folder).rglob("*.py")
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("module", sorted((PACKAGE / "serving").rglob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_images_is_light(module: Path) -> None:
    roots = {name.split(".")[0] for name in names_in(module)}
    assert not roots & FORBIDDEN_IN_SERVING
    assert not any(name.startswith("google.cloud.aiplatform") for name in names_in(module))


@pytest.mark.parametrize(
    ("library", "owner"),
    [("google.cloud.storage", "gcs"), ("google.cloud.aiplatform", "vertex_ai")],
)
def test_each_google_library_has_one_user(library: str, owner: str) -> None:
    users = {
        part_of(module)
        for module in PACKAGE.rglob("*.py")
        if any(f"{name}.".startswith(f"{library}.") for name in names_in(module))
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


def test_the_gates_component_loads_no_vertex_ai() -> None:
    program = (
        "import sys, vertex_torchserve.component.smoke_test; print('google.cloud.aiplatform' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
