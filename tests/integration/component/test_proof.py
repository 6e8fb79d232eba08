"""With instances given, an archive that does not serve is never registered."""

from pathlib import Path

import pytest
from kfp import components, dsl

from testbed.archives import ECHO_HANDLER
from tests.integration.component.component_runs import Cloud, run_here, run_pipeline
from vertex_torchserve.errors import InputError, ServingError

COMPONENT_YAML = str(Path(__file__).parents[3] / "component" / "component.yaml")
CANT_LOAD = """
def handle(data, context):
    raise RuntimeError("weights do not fit")
"""
CANT_PREDICT = """
def handle(data, context):
    return None if data is None else [1 / 0]
"""


def test_a_handler_that_cant_load_fails_the_task_and_is_not_registered(cloud: Cloud, tmp_path: Path) -> None:
    inputs = cloud.put_model("cant-load", CANT_LOAD)
    cloud.storage.put("cant-load-extra/instances.json", "[1, 2]")
    upload_pytorch_model = components.load_component_from_file(COMPONENT_YAML)
    model_uri = inputs.pop("gcs_model_path")

    @dsl.pipeline(name="broken")
    def pipeline() -> dsl.Artifact:
        trained = dsl.importer(artifact_uri=model_uri, artifact_class=dsl.Artifact, reimport=False)
        upload = upload_pytorch_model(
            gcs_model_path=trained.output, smoke_test_instances="instances.json", **inputs
        )
        return upload.outputs["vertex_model"]

    output, log = run_pipeline(pipeline, tmp_path)
    assert output is None
    assert "the archive does not serve, so it is not registered" in log
    assert 'raise RuntimeError("weights do not fit")' in log
    assert "RuntimeError: weights do not fit" in log
    assert cloud.versions("cant-load") == []
    assert cloud.keys_beneath("cant-load") == ["cant-load/ckpt.pt"]


def test_a_handler_that_cant_predict_is_not_registered(cloud: Cloud) -> None:
    inputs = cloud.put_model("cant-predict", CANT_PREDICT)
    cloud.storage.put("cant-predict-extra/instances.json", "[1]")
    with pytest.raises(ServingError) as raised:
        run_here(**inputs, smoke_test_instances="instances.json")
    assert "ZeroDivisionError('division by zero')" in str(raised.value)
    assert "handler.py:3 handle" in str(raised.value)
    assert cloud.versions("cant-predict") == []
    assert cloud.keys_beneath("cant-predict") == ["cant-predict/ckpt.pt"]


NEEDS_A_VARIABLE = f"""
import os

THRESHOLD = float(os.environ["THRESHOLD"])
{ECHO_HANDLER}"""


def test_it_is_proved_with_the_variables_name_and_routes_that_are_registered(cloud: Cloud) -> None:
    inputs = cloud.put_model("variables", NEEDS_A_VARIABLE)
    cloud.storage.put("variables-extra/instances.json", "[1]")
    container = {
        "custom_container": True,
        "serving_container_image_uri": "us-central1-docker.pkg.dev/p/serving/torchserve-cpu:1",
        "model_name": "bert",
        "predict_route": "/v1/ask",
    }
    with pytest.raises(ServingError, match="KeyError: 'THRESHOLD'"):
        run_here(**inputs, **container, smoke_test_instances="instances.json")
    assert cloud.versions("variables") == []
    run_here(
        **inputs,
        **container,
        smoke_test_instances="instances.json",
        serving_environment_vars={"THRESHOLD": 0.5},
    )
    (version,) = cloud.versions("variables")
    assert version.container_spec.predict_route == "/v1/ask"
    assert [(each.name, each.value) for each in version.container_spec.env] == [("THRESHOLD", "0.5")]


ALONE = f"""
import os
from pathlib import Path

archive = next(Path(os.environ["AIP_STORAGE_URI"]).iterdir()).resolve()
there = os.listdir(archive.parents[1])
assert there == ["archive"], f"what was staged is still on the disk: {{there}}"
{ECHO_HANDLER}"""


def test_a_handler_that_serves_is_registered(cloud: Cloud) -> None:
    inputs = cloud.put_model("serves", ALONE)
    cloud.storage.put("serves-extra/golden/instances.jsonl", '"one"\n"two"\n')
    vertex_model = run_here(**inputs, smoke_test_instances="golden/instances.jsonl")
    (version,) = cloud.versions("serves")
    assert vertex_model.metadata["resourceName"] == version.name
    assert vertex_model.metadata["ArchiveWarnings"] == []
    with cloud.archive(version.artifact_uri) as archive:
        assert "instances.jsonl" not in archive.namelist()


def test_what_will_surprise_about_the_archive_is_in_the_artifact(cloud: Cloud) -> None:
    inputs = cloud.put_model("surprises", f"import cv2_not_there\n{ECHO_HANDLER}")
    (warning,) = run_here(**inputs).metadata["ArchiveWarnings"]
    assert warning.startswith("handler.py:1: imports cv2_not_there, which is not in the archive")


def test_an_archive_that_can_not_serve_is_refused_before_it_is_written(cloud: Cloud) -> None:
    inputs = cloud.put_model("refused", "async def handle(data, context):\n    return data\n")
    with pytest.raises(InputError, match="`async def handle` without `asyncCommunication: true`"):
        run_here(**inputs)
    assert cloud.versions("refused") == []
