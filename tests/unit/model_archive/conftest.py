"""What the tests of packaging share."""

from pathlib import Path

import pytest

from tests.model_folders import model_folder, write_handler
from vertex_torchserve.model_archive import ModelArchiveSpec


@pytest.fixture
def spec(tmp_path: Path) -> ModelArchiveSpec:
    return ModelArchiveSpec(model_folder(tmp_path), handler=str(write_handler(tmp_path)))
