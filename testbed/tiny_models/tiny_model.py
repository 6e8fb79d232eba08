"""What a tiny model is: how it is built, which task it serves and what it can be asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TinyModel:
    """One entry of the catalogue.

    Attributes:
        task: The task of the handler, as `model-config.yaml` names it.
        auto_class: The class of transformers that loads it.
        build: Writes the folder; arguments are the folder and the seed.
        samples: Instances of a request, JSON-able; media are `{"b64": ...}`.
        parameters: Parameters that the samples need, such as candidate labels.
        packages: Packages to load and answer with, besides torch, transformers and numpy.
    """

    task: str
    auto_class: str
    build: Callable[[Path, int], None]
    samples: list[Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
