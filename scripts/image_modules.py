"""Write archive_check/image_modules/serving_images.json: the Python modules that the serving images have.

    python -m scripts.image_modules

The images install images/torchserve-cpu/requirements.lock, torch and this package. The same versions are in
the environment that `make setup` makes, so neither Docker nor a download is needed; where a version differs,
this refuses.
"""

import importlib.metadata
import json
import re
import sys
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import listing

_ROOT = Path(__file__).resolve().parent.parent
_LOCK = _ROOT / "images" / "torchserve-cpu" / "requirements.lock"
_DOCKERFILE = _ROOT / "images" / "torchserve-cpu" / "Dockerfile"
FILE = Path(listing.__file__).with_name("serving_images.json")
# Theirs are Python's own tools, of other versions here; their modules have the same names.
_ANY_VERSION = ("pip",)


def main() -> int:
    """Write the file; returns the exit code."""
    FILE.write_text(expected_text(), encoding="utf-8")
    return 0


def expected_text() -> str:
    """What the file must hold.

    Raises:
        SystemExit: A package is not here in the images' version.
    """
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s]+)", _LOCK.read_text(), re.MULTILINE))
    torch = re.search(r"^ARG TORCH_VERSION=(.+)$", _DOCKERFILE.read_text(), re.MULTILINE)
    assert torch is not None  # noqa: S101
    locked["torch"] = torch[1]
    packages = []
    for name, version in locked.items():
        package = importlib.metadata.distribution(name)
        if package.version.split("+")[0] != version and name not in _ANY_VERSION:
            sys.exit(f"{name} is {package.version} here and {version} in the images: run `make setup`")
        packages.append(package)
    packages.append(importlib.metadata.distribution("vertex-torchserve"))
    listed = listing.listing(packages)
    for name, version in locked.items():
        listed["packages"][name]["version"] = version  # type: ignore[index]
    listed["packages"]["vertex-torchserve"]["modules"] = ["vertex_torchserve"]  # type: ignore[index]
    return json.dumps(listed, indent=1) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
