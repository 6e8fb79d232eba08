"""How large each extra is: a program that runs in an environment where all of them are installed.

    python -m benchmarks.extra_sizes

Prints as JSON, for each extra of vertex-torchserve, the bytes of the files of every distribution that
`pip install 'vertex-torchserve[EXTRA]'` brings, byte code too, and how many distributions that are.
Needs packaging.
"""

import json
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = "vertex-torchserve"


def main() -> int:
    """Print the sizes; the extra with no name is the package alone."""
    extras = ["", *(distribution(PROJECT).metadata.get_all("Provides-Extra") or [])]
    sizes = {}
    for extra in extras:
        needed = closure(PROJECT, frozenset({extra} - {""}))
        if needed is not None:
            sizes[extra] = {"bytes": sum(map(size, needed)), "distributions": len(needed)}
    json.dump(sizes, sys.stdout)
    return 0


def closure(name: str, extras: frozenset[str]) -> list[Distribution] | None:
    """The distribution and all that it needs with these extras; None when something of that isn't there."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in done:
            continue
        done.add((name, extra))
        try:
            found[name] = distribution(name)
        except ModuleNotFoundError:
            return None
        for text in found[name].requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                key = needed.name.lower().replace("_", "-").replace(".", "-")
                waiting += [(key, each) for each in ("", *needed.extras)]
    return list(found.values())


def size(installed: Distribution) -> int:
    """The bytes of a distribution's files on this disk."""
    files = [Path(str(file.locate())) for file in installed.files or []]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    raise SystemExit(main())
