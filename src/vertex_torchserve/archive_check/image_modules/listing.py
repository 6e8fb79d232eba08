"""What the Python that runs this has, and the system around it: an image's inventory, as JSON.

    python -I -m vertex_torchserve.archive_check.image_modules.listing           # print it
    python -I -m vertex_torchserve.archive_check.image_modules.listing --write   # to PREFIX/inventory.json
    python -I listing.py --packages                                              # what needs no torch

Each package with its version and top-level modules, Python's own modules, the names that its torch loads
from a pickle, and Debian's packages. It needs nothing but the standard library, so that any image's Python
can run its text (`python -I -c`).
"""

import csv
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

FILE_NAME = "inventory.json"
# Set when an image is built.
COMMIT_VARIABLE = "VTS_COMMIT"


def file_paths(package: importlib.metadata.Distribution) -> Iterable[str]:
    """The paths of a package's files; `package.files` makes an object of each, which takes longer."""
    record = package.read_text("RECORD")
    if record is None:
        return map(str, package.files or ())
    return (row[0] for row in csv.reader(record.splitlines()) if row)


def top_level_modules(package: importlib.metadata.Distribution) -> list[str]:
    """The names under which a package's modules are imported: from its own list of files."""
    found = set()
    for path in file_paths(package):
        first, *rest = path.split("/")
        if first in ("..", "__pycache__") or first.endswith(
            (".dist-info", ".egg-info", ".data", ".pth", ".libs")
        ):
            continue
        if rest and any(part.endswith((".py", ".so")) for part in rest[-1:]):
            found.add(first)
        elif not rest and first.endswith((".py", ".so")):
            found.add(first.split(".")[0])
    return sorted(name for name in found if name.isidentifier())


def unpickled_names() -> list[str]:
    """What `torch.load` takes from a pickle unless it is told more: torch's own list; empty without torch."""
    try:
        from torch import _weights_only_unpickler as unpickler
    except ImportError:
        return []
    return sorted(unpickler._get_allowed_globals())


def packages_of(packages: Iterable[importlib.metadata.Distribution]) -> dict[str, dict[str, object]]:
    """Each package's version and modules, by its normalised name."""
    found: dict[str, dict[str, object]] = {
        re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): {
            "version": package.version,
            "modules": top_level_modules(package),
        }
        for package in packages
    }
    return dict(sorted(found.items()))


def without_torch(packages: Iterable[importlib.metadata.Distribution]) -> dict[str, object]:
    """What is known of a Python without importing anything."""
    return {
        "python": platform.python_version(),
        "packages": packages_of(packages),
        "standard": sorted(sys.stdlib_module_names),
    }


def listing(packages: Iterable[importlib.metadata.Distribution]) -> dict[str, object]:
    """All that is known of it: its version, its packages, the standard modules, and torch's list."""
    return {**without_torch(packages), "unpickled": unpickled_names()}


def debian_packages() -> dict[str, dict[str, str]]:
    """The version and the architecture of each installed package of Debian's, by its name; none elsewhere."""
    if shutil.which("dpkg-query") is None:
        return {}
    fields = "${db:Status-Status} ${Package} ${Version} ${Architecture}\n"
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat", fields], stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line.split() for line in answer.stdout.splitlines()]
    return {
        name: {"version": version, "architecture": architecture}
        for status, name, version, architecture in lines
        if status == "installed"
    }


def inventory(commit: str = "") -> dict[str, object]:
    """All of it, of this Python and the system it runs in.

    Args:
        commit: Of the checkout that the image is built from; empty: the one of the inventory that is there.
    """
    written = Path(sys.prefix, FILE_NAME)
    if not commit and written.is_file():
        commit = json.loads(written.read_text(encoding="utf-8")).get("commit", "")
    listed = listing(importlib.metadata.distributions())
    return {"commit": commit, **listed, "system": debian_packages()}


def main() -> int:
    """Print or write it; returns the exit code."""
    if sys.argv[1:] == ["--packages"]:
        print(json.dumps(without_torch(importlib.metadata.distributions())))  # noqa: T201
        return 0
    text = json.dumps(inventory(os.environ.get(COMMIT_VARIABLE, "")), indent=1) + "\n"
    if sys.argv[1:] == ["--write"]:
        Path(sys.prefix, FILE_NAME).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
