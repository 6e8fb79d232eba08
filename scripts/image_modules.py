"""Write archive_check/image_modules/serving_images.json: the Python modules that the serving images have.

    python -m scripts.image_modules

The images install one lock, the torch of their Dockerfile and this package. The same versions are in the
environment that `make setup` makes, so neither Docker nor a download is needed; where a version differs, this
refuses.
"""

import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from vertex_torchserve.archive_check.image_modules import listing

_ROOT = Path(__file__).resolve().parent.parent
_IMAGES = _ROOT / "images"
_LOCK = _IMAGES / "torchserve-cpu" / "requirements.lock"  # the GPU image's is the same file
FILE = Path(listing.__file__).with_name("serving_images.json")
# Theirs are Python's own tools, of other versions here; their modules have the same names.
_ANY_VERSION = ("pip",)
# What a torch for CUDA requires, by the torch's version, as its own metadata says; its other packages have
# one of the modules below.
_OF_CUDA = {"2.13.0": {"triton": {"version": "3.7.1", "modules": ["triton"]}}}
_CUDA_MODULES = ("cuda", "nvidia")


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
    torch, build = _torch("cpu")
    packages = [_installed(name, version) for name, version in {**locked, "torch": torch}.items()]
    packages.append(importlib.metadata.distribution("vertex-torchserve"))
    listed: dict[str, Any] = listing.listing(packages)
    listed["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"  # Debian's is another 3.11
    for name, version in locked.items():
        listed["packages"][name]["version"] = version
    listed["packages"]["vertex-torchserve"]["modules"] = ["vertex_torchserve"]
    modules = listed["packages"].pop("torch")["modules"]
    gpu_torch, gpu_build = _torch("gpu")
    gpu = {"version": f"{gpu_torch}+{gpu_build}", "modules": sorted([*modules, *_CUDA_MODULES])}
    listed["only"] = {
        "cpu": {"torch": {"version": f"{torch}+{build}", "modules": modules}},
        "gpu": {"torch": gpu, **_OF_CUDA[gpu_torch]},
    }
    return json.dumps(listed, indent=1) + "\n"


def _torch(kind: str) -> tuple[str, str]:
    """The version of an image's torch, and the build of it: the last part of its index."""
    dockerfile = (_IMAGES / f"torchserve-{kind}" / "Dockerfile").read_text()
    version = re.search(r"^ARG TORCH_VERSION=(.+)$", dockerfile, re.MULTILINE)
    index = re.search(r"^ARG TORCH_INDEX_URL=.*/(.+)$", dockerfile, re.MULTILINE)
    assert version is not None and index is not None  # noqa: S101
    return version[1], index[1]


def _installed(name: str, version: str) -> importlib.metadata.Distribution:
    """A package that is here, in this version."""
    package = importlib.metadata.distribution(name)
    if package.version.split("+")[0] != version and name not in _ANY_VERSION:
        sys.exit(f"{name} is {package.version} here and {version} in the images: run `make setup`")
    return package


if __name__ == "__main__":
    raise SystemExit(main())
