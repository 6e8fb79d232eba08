"""Which Python modules a serving image has, so that a check needs no Docker.

`serving_images.json` is what both images install, one lock, and the torch of each with what it brings.
`scripts/image_modules.py` writes it; a test compares it with the built image. An image itself has all that
and more in its inventory, which `listing.py` writes when it is built.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vertex_torchserve.archive_check.reading.requirements_file import normalised
from vertex_torchserve.serving.image_names import serving_image_kind

Kind = Literal["cpu", "gpu"]
_TORCH_INDEXES = "https://download.pytorch.org/whl"
_FILE = Path(__file__).with_name("serving_images.json")


@dataclass(frozen=True)
class ImageModules:
    """What can be imported in an image.

    Attributes:
        name: The image's, for messages.
        versions: The version of each package, by its normalised name.
        owners: The package that each top-level module comes from, by the module's name.
        standard: The modules of Python itself.
        unpickled: The names that its torch loads from a pickle (`weights_only=True`); none without torch.
        asked: The image that told it, when one was asked.
        python: The version of its Python, `3.11` or `3.11.2`.
        system: The version of each package of Debian's; none where nobody looked.
        commit: Of the checkout that it was built from; empty where that is not known.
    """

    name: str
    versions: Mapping[str, str]
    owners: Mapping[str, str]
    standard: frozenset[str]
    unpickled: frozenset[str]
    asked: str | None = None
    python: str = ""
    system: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""

    @classmethod
    def of(cls, name: str, listed: Mapping[str, Any], asked: str | None = None) -> "ImageModules":
        """Read what `listing.py` printed.

        Args:
            name: The image's, for messages.
            listed: The JSON object.
            asked: The image that printed it.
        """
        packages: Mapping[str, Mapping[str, Any]] = listed["packages"]
        return cls(
            name,
            {package: about["version"] for package, about in packages.items()},
            {module: package for package, about in packages.items() for module in about["modules"]},
            frozenset(listed["standard"]),
            frozenset(listed["unpickled"]),
            asked,
            listed["python"],
            {package: about["version"] for package, about in listed.get("system", {}).items()},
            listed.get("commit", ""),
        )

    def has(self, module: str) -> bool:
        """Whether a top-level module can be imported."""
        return module in self.standard or module in self.owners

    def package_of(self, module: str) -> str | None:
        """The package that a module comes from; None when it can't be imported or is Python's own.

        Args:
            module: Its dotted name. Where packages share the first part, as Google's do, the others decide.
        """
        parts = module.split(".")
        for count in range(len(parts), 1, -1):
            name = normalised("-".join(parts[:count]))
            if name in self.versions:
                return name
        return self.owners.get(parts[0])

    @property
    def torch_index(self) -> str | None:
        """The index of PyTorch's that its torch comes from; None without torch, or with PyPI's.

        The local part of the version tells it: `2.13.0+cpu`, `2.13.0+cu126`; PyPI's torch has none.
        """
        build = self.versions.get("torch", "").partition("+")[2]
        return f"{_TORCH_INDEXES}/{build}" if build else None


@functools.cache
def of_our_images(kind: Kind = "cpu") -> ImageModules:
    """What one of the serving images has.

    Args:
        kind: Which of them. The GPU image has all that the CPU image has, and what its torch brings.
    """
    listed = json.loads(_FILE.read_text(encoding="utf-8"))
    packages = {**listed["packages"], **listed["only"][kind]}
    name = "the serving image" if kind == "cpu" else "the GPU image"
    return ImageModules.of(name, {**listed, "packages": packages})


def listed_for(image: str) -> ImageModules | None:
    """What this package itself knows of the image that serves.

    Args:
        image: Its name; empty where none is known, which stands for the serving image.

    Returns:
        None for an image that is not this project's, by its name.
    """
    kind = serving_image_kind(image) if image else "cpu"
    return of_our_images(kind) if kind else None
