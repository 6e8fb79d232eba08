import zipfile
from pathlib import Path

import pytest

from model_folders import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive import read_manifest, unpacked_bytes
from vertex_torchserve.serving.model_config import ModelConfig, read_model_config


def config_of(folder: Path, text: str) -> ModelConfig:
    mar = write_archive(folder, configFile="model-config.yaml")
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("model-config.yaml", text)
    return read_model_config(mar, read_manifest(mar))


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("minWorkers: 2\nmaxWorkers: 3\nbatchSize: 8\nmaxBatchDelay: 20\n", ModelConfig(2, 8, 20)),
        ("minWorkers: 2\n", ModelConfig()),
        ("minWorkers: 3\nmaxWorkers: 2\n", ModelConfig()),
        ("batchSize: '8'\nmaxBatchDelay: 0\n", ModelConfig()),
        ("minWorkers: true\nmaxWorkers: true\nbatchSize: 1.5\n", ModelConfig()),
        ("handler:\n  threshold: 0.5\n", ModelConfig()),
    ],
)
def test_only_what_torchserve_would_heed(tmp_path: Path, text: str, config: ModelConfig) -> None:
    assert config_of(tmp_path, text) == config


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- 1\n", "is not a mapping of names to values"),
        ("a: [", "is not a mapping of names to values"),
    ],
)
def test_a_file_that_would_end_torchserve(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"model-config.yaml {found}"):
        config_of(tmp_path, text)


def test_an_archive_without_one_asks_for_nothing(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    assert read_model_config(mar, read_manifest(mar)) == ModelConfig()


def test_the_unpacked_size(tmp_path: Path) -> None:
    mar = tmp_path / "model.mar"
    with zipfile.ZipFile(mar, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000))
        archive.writestr("one", "1")
    assert mar.stat().st_size < 10_000
    assert unpacked_bytes(mar) == 100_001
