"""The archive's own `model-config.yaml`, as far as it says how to serve."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive import Manifest


@dataclass(frozen=True)
class ModelConfig:
    """What the archive asks for; None where TorchServe 0.12 would take no notice of what it says.

    Attributes:
        workers: `minWorkers`, which counts only when `maxWorkers` is there and not less.
        batch_size: `batchSize`.
        max_batch_delay_ms: `maxBatchDelay`.
    """

    workers: int | None = None
    batch_size: int | None = None
    max_batch_delay_ms: int | None = None


def read_model_config(mar_path: Path, manifest: Manifest) -> ModelConfig:
    """Read it from an archive; an archive without one asks for nothing.

    Raises:
        InputError: When it is empty, which TorchServe does not survive, or not a YAML mapping.
    """
    if manifest.config_file is None:
        return ModelConfig()
    import yaml

    with zipfile.ZipFile(mar_path) as archive:
        text = archive.read(manifest.config_file)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        content = error
    if not isinstance(content, dict):
        found = "empty" if content is None else f"not a mapping of names to values ({content})"
        raise InputError(
            Problem(
                f"{mar_path}: {manifest.config_file} is {found}",
                "correct the file and package the model again, or leave it out",
            )
        )
    workers, most = _positive(content, "minWorkers"), _positive(content, "maxWorkers")
    return ModelConfig(
        workers=workers if workers and most and most >= workers else None,
        batch_size=_positive(content, "batchSize"),
        max_batch_delay_ms=_positive(content, "maxBatchDelay"),
    )


def _positive(content: dict[Any, Any], key: str) -> int | None:
    value = content.get(key)
    return value if type(value) is int and value > 0 else None
