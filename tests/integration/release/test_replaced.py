"""A new version is asked what the one that it replaces recorded; what changed is shown and stops nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from typer.testing import CliRunner

from testbed.archives import write_archive
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud
from vertex_torchserve.cli.app import app
from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.component.run import run
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, register_archive

IMAGE = f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1"
HANDLER = """\
def handle(data, context):
    return None if data is None else [{"n": item * FACTOR} for item in data]
"""
RECORDED = [{"instances": [1, 0], "predictions": [{"n": 2}, {"n": 0}]}, {"instances": [5]}]


def handler(factor: int) -> str:
    return HANDLER.replace("FACTOR", str(factor))


def registered(folder: Path, name: str, factor: int, files: dict[str, str], **fields: Any) -> str:
    mar = write_archive(folder / str(factor), handler(factor), files={"weights": name, **files})
    upload = ModelUpload(PROJECT, LOCATION, name, **fields)
    plan = ServingPlan.of(mar, ContainerSpec(IMAGE))
    return register_archive(plan, GcsPath.parse("gs://bucket/archives"), upload).resource_name


def test_an_upload_shows_what_changed_from_the_version_that_loses_an_alias(
    cloud: Cloud, tmp_path: Path
) -> None:
    name = "replaced"
    parent = registered(tmp_path, name, 1, {})
    golden = {"golden-request.json": json.dumps(RECORDED)}
    registered(tmp_path, name, 2, golden, parent_model=parent, version_aliases=["prod"])
    new = write_archive(tmp_path / "new", handler(3), files={"weights": name})
    arguments = [
        "upload", str(new), "--bucket", "gs://bucket/archives", "--project", PROJECT, "--location", LOCATION,
        "--display-name", name, "--serving-container-image-uri", IMAGE, "--parent-model", parent, "--json",
    ]  # fmt: skip
    prod = ["--version-alias", "prod"]
    done = CliRunner().invoke(app, [*arguments, *prod, "--dry-run"])
    told = json.loads(done.stdout)
    assert (told["version_id"], told["moved_aliases"]) == ("3", {"prod": "2"})
    replaces = told["replaces"]
    assert (replaces["version_id"], replaces["not_compared"]) == ("2", None)
    assert (replaces["changed"], replaces["compared"]) == (1, 2)
    assert replaces["instances"][0]["differences"] == [
        {"path": "predictions[0].n", "expected": 2, "got": 3, "by": 1}
    ]
    assert len(cloud.versions(name)) == 2

    done = CliRunner().invoke(app, arguments)  # the default version: it has nothing to ask
    told = json.loads(done.stdout)
    assert (done.exit_code, told["model_version_id"], told["already_registered"]) == (0, "3", False)
    assert told["replaces"]["not_compared"] == "it has no golden requests"
    assert told["replaces"]["version_id"] == "1"
    done = CliRunner().invoke(app, arguments)
    assert json.loads(done.stdout)["replaces"] is None


def test_the_components_report_shows_what_changed(cloud: Cloud, tmp_path: Path) -> None:
    name = "replaced-by-the-component"
    parent = registered(tmp_path, name, 2, {"golden-request.json": json.dumps(RECORDED)})
    inputs = cloud.put_model(name, handler(4))
    report, metrics = dsl.HTML(uri=str(tmp_path / "report")), dsl.Metrics(uri=str(tmp_path / "metrics"))
    model = VertexModel()
    run(model, report, metrics, **inputs, parent_model=parent)
    assert model.metadata["VersionID"] == "2"
    page = (tmp_path / "report").read_text()
    assert f"Beside version 1 of {name}, which it replaces" in page
    assert "1 of 2 answers changed" in page
    assert "<code>predictions[0].n</code>" in page
    assert (metrics.metadata["answers_compared"], metrics.metadata["answers_changed"]) == (2, 1)
    assert json.loads((tmp_path / "metrics").read_text())["replaced"]["changed"] == 1


@pytest.mark.parametrize("is_default", [True, False])
def test_an_upload_writes_down_from_whom_it_takes_aliases(
    cloud: Cloud, tmp_path: Path, is_default: bool
) -> None:
    name = f"takes aliases {is_default}"
    parent = registered(tmp_path, name, 1, {}, version_aliases=["prod"])
    for factor in (2, 3):
        registered(
            tmp_path, name, factor, {}, parent_model=parent, version_aliases=["prod", "fresh"][: factor - 1],
            is_default_version=is_default,
        )  # fmt: skip
    labels = dict(cloud.versions(name)[2].labels)
    del labels["vertex_torchserve_upload"]
    default = {"vertex_torchserve_before_default": "2_1"} if is_default else {}
    assert labels == {"vertex_torchserve_before_prod": "2_1", **default}
