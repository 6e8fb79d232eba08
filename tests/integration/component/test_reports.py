"""What both components leave beside the model: a page and figures, also when the archive does not serve."""

import json
from pathlib import Path
from typing import Any

import pytest
from kfp import components, dsl
from kfp.dsl import Artifact, Input, Metrics

from testbed.archives import ECHO_HANDLER, SHORT_HANDLER, archive
from testbed.vertex_gateway import Gateway
from tests.integration.component.component_runs import Cloud, run_pipeline
from vertex_torchserve.component.smoke_test import run
from vertex_torchserve.errors import InputError

COMPONENTS = Path(__file__).parents[3] / "component"


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def read_outputs(proved: Input[Artifact], metrics: Input[Metrics]) -> str:
    import json

    return json.dumps({"uri": proved.uri, "proved": proved.metadata, "figures": metrics.metadata})


def written(root: Path, name: str) -> str:
    """An output's file in KFP's folder of the one run."""
    (file,) = root.rglob(name)
    return file.read_text()


def uploading(cloud: Cloud, folder: str, handler: str, **more: Any) -> Any:
    inputs = cloud.put_model(folder, handler)
    cloud.storage.put(f"{folder}-extra/instances.json", "[1, 2]")
    upload = components.load_component_from_file(str(COMPONENTS / "component.yaml"))
    model_uri = inputs.pop("gcs_model_path")

    @dsl.pipeline(name="uploading")
    def pipeline() -> str:
        trained = dsl.importer(artifact_uri=model_uri, artifact_class=Artifact, reimport=False)
        outputs = upload(gcs_model_path=trained.output, **inputs, **more).outputs
        told: str = read_outputs(proved=outputs["vertex_model"], metrics=outputs["metrics"]).output
        return told

    return pipeline


def test_no_registry_is_asked_about_an_archive_that_does_not_serve_and_the_report_is_there(
    cloud: Cloud, gateway: Gateway, tmp_path: Path
) -> None:
    pipeline = uploading(cloud, "short", SHORT_HANDLER, smoke_test_instances="instances.json")
    output, log = run_pipeline(pipeline, tmp_path)
    assert output is None
    assert "the archive does not serve" in log
    assert gateway.asked == []
    page = written(tmp_path, "report")
    assert "✗ It does not serve" in page
    assert "the handler returned 1 predictions for 2 instances" in page
    report = json.loads(written(tmp_path, "metrics"))
    assert [check["name"] for check in report["checks"] if not check["ok"]] == ["status"]


def test_one_that_serves_has_its_figures_in_the_metrics(cloud: Cloud, tmp_path: Path) -> None:
    handler = "def handle(data, context):\n    return data\n"
    pipeline = uploading(cloud, "figures", handler, smoke_test_instances="instances.json")
    output, log = run_pipeline(pipeline, tmp_path)
    assert output, log
    figures = json.loads(output)["figures"]
    assert {name: figures[name] for name in ("serves", "checks_passed", "checks_failed", "predictions")} == {
        "serves": 1, "checks_passed": 6, "checks_failed": 0, "predictions": 2,
    }  # fmt: skip
    assert figures["ready_seconds"] > 0
    assert figures["requests_per_second_at_most"] > 0
    page = written(tmp_path, "report")
    assert "✓ It serves" in page
    assert "the Python and the libraries of europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu" in page
    assert "the smoke test does not cover: the Python and the libraries of europe-docker.pkg.dev" in log


def test_a_library_that_the_registered_image_lacks_is_told_before_anything_starts(
    cloud: Cloud, gateway: Gateway, tmp_path: Path
) -> None:
    ours = "us-central1-docker.pkg.dev/p/r/torchserve-gpu:1"
    pipeline = uploading(
        cloud, "lacks", f"import hypothesis\n{ECHO_HANDLER}", smoke_test_instances="instances.json",
        custom_container=True, serving_container_image_uri=ours, serving_container_ports=[8080],
    )  # fmt: skip
    output, log = run_pipeline(pipeline, tmp_path)
    assert output is None
    assert "image: handler.py:1: imports hypothesis, which is not in the archive, the GPU image" in log
    assert gateway.asked == []
    assert [check["name"] for check in json.loads(written(tmp_path, "metrics"))["checks"]] == [
        "archive", "image",
    ]  # fmt: skip


def test_without_instances_the_page_says_that_nothing_was_served(cloud: Cloud, tmp_path: Path) -> None:
    output, log = run_pipeline(uploading(cloud, "untested", SHORT_HANDLER), tmp_path)
    assert output, log
    assert json.loads(output)["figures"]["serves"] == 0
    page = written(tmp_path, "report")
    assert "Not tested" in page
    assert "It does not serve" not in page


def proving(model_archive: str, instances: str = "", **served_with: Any) -> Any:
    smoke_test = components.load_component_from_file(str(COMPONENTS / "smoke_test.yaml"))

    @dsl.pipeline(name="proving")
    def pipeline() -> str:
        packaged = dsl.importer(artifact_uri=model_archive, artifact_class=Artifact, reimport=False)
        outputs = smoke_test(
            model_archive=packaged.output, smoke_test_instances=instances, **served_with
        ).outputs
        told: str = read_outputs(proved=outputs["proved_archive"], metrics=outputs["metrics"]).output
        return told

    return pipeline


def test_the_gate_alone_proves_an_archive_by_its_golden_request(cloud: Cloud, tmp_path: Path) -> None:
    handler = f"import os\nos.environ['THRESHOLD']\n{ECHO_HANDLER}"
    golden = {"golden-request.json": '{"instances": ["a"], "predictions": [{"echo": "a"}]}'}
    cloud.storage.put("packaged/model.mar", archive(handler, files=golden))
    pipeline = proving(
        "gs://bucket/packaged", serving_environment_vars={"THRESHOLD": "0.5"}, predict_route="/rank"
    )
    output, log = run_pipeline(pipeline, tmp_path)
    assert output, log
    told = json.loads(output)
    assert told["uri"] == "gs://bucket/packaged/model.mar"
    assert told["proved"]["ModelName"] == "model"
    assert len(told["proved"]["ArchiveSha256"]) == 64
    assert told["figures"]["serves"] == 1
    page = written(tmp_path, "report")
    assert "✓ It serves" in page
    assert "<dd>/rank</dd>" in page
    assert "<dd>THRESHOLD</dd>" in page
    assert "<dt>compared with</dt><dd>the serving image: Python, torch, torchserve" in page


def test_the_gate_alone_stops_one_that_does_not_serve(cloud: Cloud, tmp_path: Path) -> None:
    cloud.storage.put("broken/model.mar", archive(SHORT_HANDLER))
    cloud.storage.put("broken-instances.jsonl", "1\n2\n")
    pipeline = proving("gs://bucket/broken/model.mar", "gs://bucket/broken-instances.jsonl")
    output, log = run_pipeline(pipeline, tmp_path)
    assert output is None
    assert "the archive does not serve" in log
    assert "✗ It does not serve" in written(tmp_path, "report")


def test_everything_that_the_gate_can_not_find_is_named_at_once(cloud: Cloud) -> None:
    cloud.storage.put("two/a.mar", archive())
    cloud.storage.put("two/b.mar", archive())
    with pytest.raises(InputError) as raised:
        run(
            Artifact(), dsl.HTML(), Metrics(),
            model_archive="gs://bucket/two", smoke_test_instances="gs://bucket/none.json",
            predict_route="rank",
        )  # fmt: skip
    assert [problem.message for problem in raised.value.problems] == [
        "predict_route 'rank' is not a path; printable ASCII from `/` on, without ? and #, is",
        "model_archive: gs://bucket/two holds a.mar, b.mar; a .mar, or a folder with one, is needed",
        "smoke_test_instances: there is nothing at gs://bucket/none.json",
    ]
