"""What the emulator imports of the package, who imports the emulator, and which way its rooms import."""

import ast
from pathlib import Path

import pytest

import vertex_torchserve

PACKAGE = Path(vertex_torchserve.__file__).parent
EMULATOR = PACKAGE / "emulator"
OWN = "vertex_torchserve.emulator"
OPEN_TO_ALL_OF_IT = {"errors", "resource_rules", "serving_plan"}
# A room imports those before it.
ROOMS = [
    "durable_file",
    "relay",
    "rest",
    "state",
    "storage",
    "registry",
    "containers",
    "endpoints",
    "batch",
    "google_hosts",
    "lifecycle",
    "__init__",
]
MODULES = sorted(EMULATOR.rglob("*.py"))


def imported(module: Path) -> set[str]:
    """The modules of this package that a module imports, by their full names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.relative_to(PACKAGE.parent).parent.parts
            above = package[: len(package) + 1 - node.level] if node.level else ()
            origin = ".".join((*above, *([node.module] if node.module else [])))
            names.update(f"{origin}.{alias.name}" for alias in node.names)
    return {name for name in names if name.startswith("vertex_torchserve.")}


def room_of(name: str) -> str:
    return name.removeprefix(f"{OWN}.").split(".")[0]


def test_the_emulator_has_two_doors_to_the_rest() -> None:
    outside = {
        (str(module.relative_to(EMULATOR)), name)
        for module in MODULES
        for name in imported(module)
        if not name.startswith(f"{OWN}.") and name.split(".")[1] not in OPEN_TO_ALL_OF_IT
    }
    serving, docker = "vertex_torchserve.serving", "vertex_torchserve.docker"
    assert outside == {
        ("containers/served_process.py", f"{serving}.image_names.is_serving_image"),
        ("containers/served_process.py", f"{serving}.local_server.ServingProcess"),
        ("containers/served_process.py", f"{serving}.probe.PROBE_COMMAND"),
        ("containers/docker_launcher.py", docker),
        ("containers/docker_container.py", f"{docker}.Container"),
        ("containers/docker_container.py", f"{docker}.DockerError"),
        ("containers/docker_queries.py", f"{docker}.Container"),
        ("containers/docker_queries.py", f"{docker}.DockerError"),
        ("containers/docker_queries.py", f"{docker}.ask"),
        ("containers/docker_queries.py", f"{docker}.client"),
        ("containers/probing.py", f"{docker}.Container"),
        ("containers/probing.py", f"{docker}.DockerError"),
    }


def test_only_the_demo_and_one_command_import_the_emulator() -> None:
    users = {
        str(module.relative_to(PACKAGE))
        for module in PACKAGE.rglob("*.py")
        if EMULATOR not in module.parents
        and any(f"{name}.".startswith(f"{OWN}.") for name in imported(module))
    }
    assert users == {"cli/emulator.py", "demo/run.py"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(EMULATOR)))
def test_rooms_import_one_way(module: Path) -> None:
    own = ROOMS.index(module.relative_to(EMULATOR).parts[0].removesuffix(".py"))
    for name in imported(module):
        if name.startswith(f"{OWN}."):
            assert ROOMS.index(room_of(name)) <= own, f"{module.name} imports {name}"


@pytest.mark.parametrize(
    "module", sorted((PACKAGE / "resource_rules").glob("*.py")), ids=lambda path: path.name
)
def test_the_shared_rules_import_errors_alone(module: Path) -> None:
    assert {name.split(".")[1] for name in imported(module)} <= {"errors"}
