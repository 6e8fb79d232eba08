"""Which Python modules a serving image has, so that a check needs no Docker.

`serving_images.json` is what both images install, one lock, and the torch of each with what it brings.
`scripts/image_modules.py` writes it; a test compares it with the built image.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
    """

    name: str
    versions: Mapping[str, str]
    owners: Mapping[str, str]
    standard: frozenset[str]
    unpickled: frozenset[str]
    asked: str | None = None

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
        )

    def has(self, module: str) -> bool:
        """Whether a top-level module can be imported."""
        return module in self.standard or module in self.owners

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
