"""Every tiny model has the same weights for the same seed, and transformers loads what was written."""

import hashlib
import json
from pathlib import Path

import pytest
import transformers

from testbed.tiny_models import CATALOGUE, make, samples


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", CATALOGUE)
def test_seed_and_load(name: str, tmp_path: Path) -> None:
    model = CATALOGUE[name]
    first, again, other = (make(name, tmp_path / str(n), seed) for n, seed in enumerate([3, 3, 4]))

    assert digest(first) == digest(again) != digest(other)
    assert sum(path.stat().st_size for path in first.rglob("*") if path.is_file()) < 1_000_000
    _, report = getattr(transformers, model.auto_class).from_pretrained(first, output_loading_info=True)
    assert not any(report.values()), "every weight in the file is one of the model's, and none is left out"


@pytest.mark.parametrize("name", CATALOGUE)
def test_samples_are_json(name: str) -> None:
    assert json.loads(json.dumps(samples(name))) == samples(name) != []
