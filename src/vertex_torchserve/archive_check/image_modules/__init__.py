"""Which Python modules a serving image has, so that a check needs no Docker.

`serving_images.json` is what both images install: one lock, and torch. `scripts/image_modules.py` writes it;
a test compares it with the built image.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@functools.cache
def of_our_images() -> ImageModules:
    """What both serving images have."""
    return ImageModules.of("the serving image", json.loads(_FILE.read_text(encoding="utf-8")))
