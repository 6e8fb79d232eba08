"""Tiny seeded models of every task, made in place: what `save_pretrained` writes, in under a second each.

`make("token-classification", folder)` writes a folder, `samples("token-classification")` gives instances
to ask it, `CATALOGUE` says the rest. Variants of a task have its name first: `token-classification-roberta`.
"""

import copy
from pathlib import Path
from typing import Any

from . import audio, generation, multimodal, text, vision
from .tiny_model import TinyModel

MODULES = (text, generation, vision, audio, multimodal)
CATALOGUE: dict[str, TinyModel] = {name: model for module in MODULES for name, model in module.MODELS.items()}
# The first model of each task has the task's name.
FIRST_OF_TASKS = [name for name, model in CATALOGUE.items() if name == model.task.split("_")[0]]


def make(name: str, folder: Path, seed: int = 0) -> Path:
    """Write a model folder and return it; the same name and seed give the same bytes of weights."""
    CATALOGUE[name].build(folder, seed)
    return folder


def samples(name: str) -> list[Any]:
    """Instances to ask the model, JSON-able, the caller's own to change."""
    return copy.deepcopy(CATALOGUE[name].samples)
