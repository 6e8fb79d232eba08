"""Which archive is served, and what is said when there is none or several."""

from pathlib import Path

import pytest

from testbed.archives import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.store import find_archive
from vertex_torchserve.serving.settings import ServingSettings


def found(**environment: str) -> str:
    return find_archive(ServingSettings.from_environment(environment)).origin


def refused(**environment: str) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        found(**environment)
    assert caught.value.exit_code == 2
    return caught.value.message, caught.value.fix


def test_the_one_archive_of_a_mounted_store(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert found(VTS_MODEL_STORE=str(tmp_path)) == str(mar)


def test_the_artifact_folder_comes_before_the_store(tmp_path: Path) -> None:
    mar = write_archive(tmp_path / "artifact")
    write_archive(tmp_path / "store")
    environment = {"AIP_STORAGE_URI": str(mar.parent), "VTS_MODEL_STORE": str(tmp_path / "store")}
    assert found(**environment) == str(mar)


def test_the_model_name_picks_one_of_several(tmp_path: Path) -> None:
    write_archive(tmp_path).rename(tmp_path / "second.mar")
    write_archive(tmp_path)
    assert found(VTS_MODEL_STORE=str(tmp_path), MODEL_NAME="second") == str(tmp_path / "second.mar")


def test_a_mar_beside_a_tar_gz_of_its_name(tmp_path: Path) -> None:
    """A model.tar.gz of SageMaker, say, and the model.mar that was made of it."""
    for name in ("model.mar", "model.tar.gz"):
        (tmp_path / name).write_bytes(b"x")
    assert found(VTS_MODEL_STORE=str(tmp_path), MODEL_NAME="model") == str(tmp_path / "model.mar")


def test_several_archives_and_no_name(tmp_path: Path) -> None:
    write_archive(tmp_path).rename(tmp_path / "second.mar")
    write_archive(tmp_path)
    assert refused(VTS_MODEL_STORE=str(tmp_path)) == (
        f"{tmp_path} must hold one .mar; found: model.mar, second.mar",
        "put exactly one archive there, or name the one to serve with MODEL_NAME",
    )


def test_an_empty_store(tmp_path: Path) -> None:
    store = tmp_path / "none"
    assert refused(VTS_MODEL_STORE=str(store)) == (
        f"AIP_STORAGE_URI is empty, and {store} must hold one .mar; found: nothing",
        "mount the folder that holds the .mar there, or name another with VTS_MODEL_STORE or AIP_STORAGE_URI",
    )


def test_on_vertex_the_model_lacks_its_artifact_folder(tmp_path: Path) -> None:
    store = tmp_path / "none"
    environment = {"AIP_MODE": "PREDICTION", "AIP_STORAGE_URI": "", "VTS_MODEL_STORE": str(store)}
    assert refused(**environment) == (
        f"AIP_STORAGE_URI is empty, and {store} must hold one .mar; found: nothing",
        "upload the model with an artifact folder (artifact_uri) that holds its .mar",
    )
