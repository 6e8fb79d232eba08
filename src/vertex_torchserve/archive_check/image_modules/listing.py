"""Print, as JSON, the packages of the Python that runs this, their top-level modules, and Python's own.

And the names that its torch loads from a pickle. It needs nothing but the standard library, so that any
image's Python can run its text (`python -I -c`).
"""

import importlib.metadata
import json
import re
import sys


def top_level_modules(package: importlib.metadata.Distribution) -> list[str]:
    """The names under which a package's modules are imported: from its own list of files."""
    found = set()
    for file in package.files or ():
        first, *rest = file.parts
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


def listing(packages: list[importlib.metadata.Distribution]) -> dict[str, object]:
    """What is printed: each package's version and modules, the standard modules, and torch's list."""
    found = {
        re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): {
            "version": package.version,
            "modules": top_level_modules(package),
        }
        for package in packages
    }
    return {
        "packages": dict(sorted(found.items())),
        "standard": sorted(sys.stdlib_module_names),
        "unpickled": unpickled_names(),
    }


if __name__ == "__main__":
    print(json.dumps(listing(list(importlib.metadata.distributions())), indent=1))  # noqa: T201
