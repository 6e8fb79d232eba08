"""Who may import whom in the reference handler (docs/decisions/0005-handler-package.md)."""

import sys
from pathlib import Path

import pytest

from tests.import_graph import assert_no_circle, imported_names, modules_of

HANDLERS = Path(__file__).parents[3] / "handlers"
MODULES = {HANDLERS / "huggingface_handler.py": "huggingface_handler", **modules_of(HANDLERS / "hf_handler")}
# A part may import itself and parts with a lower number; of those with the same number none. The parts are
# the modules and folders of `hf_handler`. What the registry imports by name isn't seen here.
LAYERS = {
    "hf_handler": 0,
    "bounds": 0,
    "wording": 0,
    "replies": 0,
    "costly": 0,
    "schema": 1,
    "decisions": 0,
    "linear_layers": 1,
    "threads": 0,
    "optional": 0,
    "settings": 2,
    "waiting": 2,
    "without_effect": 2,
    "allowance": 3,
    "items": 4,
    "registry": 1,
    "plans": 5,
    "archive": 5,
    "arrays": 5,
    "packs": 5,
    "failures": 5,
    "postponing": 5,
    "labels": 5,
    "tensors": 5,
    "engines": 6,
    "toolkit_shape": 5,
    "published_schemas": 5,
    "token_counters": 5,
    "text": 6,
    "media": 6,
    "request_forms": 7,
    "interface": 8,
    "task": 9,
    "kinds": 10,
    "tasks": 11,
    "choice": 11,
    "requests": 11,
    "service": 12,
    "huggingface_handler": 13,
}
# Installed wherever a model is served. The others are imported by those who need them, by `need`.
LIBRARIES = {"torch", "numpy", "transformers", "safetensors", "ts"}


def part_of(name: str) -> str:
    """The part a module belongs to."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] or package


@pytest.mark.parametrize("module", MODULES, ids=MODULES.get)
def test_imports_go_one_way(module: Path) -> None:
    own = part_of(MODULES[module])
    for name in imported_names(module, MODULES.values(), for_types=False):
        if name in MODULES.values():
            part = part_of(name)
            assert part == own or LAYERS[part] < LAYERS[own], f"{MODULES[module]} imports {name}"


def test_there_is_no_circle() -> None:
    assert_no_circle(MODULES, for_types=False)


def test_the_table_is_complete() -> None:
    assert {part_of(name) for name in MODULES.values()} == set(LAYERS)


@pytest.mark.parametrize("module", MODULES, ids=MODULES.get)
def test_nothing_is_imported_that_an_image_may_lack(module: Path) -> None:
    roots = {name.partition(".")[0] for name in imported_names(module, MODULES.values())}
    assert roots <= sys.stdlib_module_names | LIBRARIES | {"hf_handler"}
