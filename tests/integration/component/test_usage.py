"""The two usages of component/README.md, with a prebuilt and a custom container, under KFP's local runner."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import kfp
import pytest
from kfp import components, dsl
from kfp.dsl import Artifact, Input, Output

from tests.integration.component.component_runs import Cloud, run_pipeline
from vertex_torchserve.component.artifacts import VertexModel

COMPONENT_YAML = str(Path(__file__).parents[3] / "component" / "component.yaml")
EXTRA_FILES = {
    "file_1.py": "ONE = 1\n",
    "file_2.py": "TWO = 2\n",
    "file_3.json": '{"0": "no", "1": "yes"}',
    "custom_handler.py": "def handle(data, context):\n    return data\n",
    "requirements.txt": "left-pad==1.0\n",
    "not_named.txt": "stays out",
}


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def tune_tokenizer(folder: str) -> NamedTuple("Outputs", [("path_to_tokenizer", str)]):  # type: ignore[valid-type]
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(project="p", credentials=AnonymousCredentials())
    client.bucket("bucket").blob(f"{folder}/tokenizer.pkl").upload_from_string(b"a tokenizer")
    client.close()
    return (f"gs://bucket/{folder}",)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def train_model(folder: str, model: Output[Artifact]) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(project="p", credentials=AnonymousCredentials())
    for name in ("ckpt.pt", "config.json", "1_Pooling/config.json"):
        client.bucket("bucket").blob(f"{folder}/{name}").upload_from_string(name.encode())
    client.bucket("bucket").blob(f"{folder}-2/other.txt").upload_from_string(b"another model")
    client.close()
    model.uri = f"gs://bucket/{folder}"


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def read_vertex_model(model: Input[VertexModel]) -> str:
    import json

    return json.dumps({"uri": model.uri, **model.metadata})


@pytest.fixture(autouse=True)
def staging_folder(cloud: Cloud) -> None:
    for name, text in EXTRA_FILES.items():
        cloud.storage.put(f"extra/{name}", text)


def test_prebuilt_container(cloud: Cloud, tmp_path: Path) -> None:
    @kfp.dsl.pipeline(name="Upload PyTorch Model to Vertex Model Registry")
    def pipeline() -> str:
        tokenizer_op = tune_tokenizer(folder="prebuilt-tokenizer")
        train_model_op = train_model(folder="prebuilt")
        create_component_op = components.load_component_from_file(COMPONENT_YAML)
        upload_model_to_vertex = create_component_op(
            project_id="my-project",
            location="us-central1",
            gcs_model_path=train_model_op.output,
            model_display_name="my-model",
            local_model_file="ckpt.pt",
            extra_files_staging_path="gs://bucket/extra",
            serving_container_image_uri="europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.1-12:latest",
            extra_prediction_files="file_1.py,file_2.py,file_3.json",
            handler="custom_handler.py",
            custom_tokenizer_path=tokenizer_op.outputs["path_to_tokenizer"],
            custom_tokenizer_name="tokenizer.pkl",
        )
        described: str = read_vertex_model(model=upload_model_to_vertex.outputs["vertex_model"]).output
        return described

    output, log = run_pipeline(pipeline, tmp_path)
    assert output, log
    assert (
        "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.1-12:latest no longer exists (list of "
        "2026-11-22); europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest is used instead"
    ) in log
    assert "2027-01-14" in log

    (version,) = cloud.versions("my-model")
    assert version.container_spec.image_uri == (
        "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"
    )
    assert not version.container_spec.ports
    assert not version.container_spec.env
    assert not version.container_spec.predict_route
    assert version.version_aliases == ["default"]
    assert version.artifact_uri.startswith("gs://bucket/prebuilt/model-archive/")
    with cloud.archive(version.artifact_uri) as archive:
        assert sorted(archive.namelist()) == [
            "1_Pooling/config.json",
            "MAR-INF/MANIFEST.json",
            "ckpt.pt",
            "config.json",
            "custom_handler.py",
            "file_1.py",
            "file_2.py",
            "file_3.json",
            "tokenizer.pkl",
        ]
        assert archive.read("ckpt.pt") == b"ckpt.pt"
        assert archive.read("tokenizer.pkl") == b"a tokenizer"
        assert archive.read("file_3.json") == b'{"0": "no", "1": "yes"}'
        model = json.loads(archive.read("MAR-INF/MANIFEST.json"))["model"]
    assert model["modelName"] == "model"
    assert model["handler"] == "custom_handler.py"
    assert model["serializedFile"] == "ckpt.pt"
    assert model["modelVersion"] == "v1.0"
    _assert_describes(json.loads(output), version)


def test_custom_container(cloud: Cloud, tmp_path: Path) -> None:
    @kfp.dsl.pipeline(name="Upload PyTorch Model to Vertex Model Registry")
    def pipeline() -> str:
        tokenizer_op = tune_tokenizer(folder="custom-tokenizer")
        train_model_op = train_model(folder="custom")
        create_component_op = components.load_component_from_file(COMPONENT_YAML)
        upload_model_to_vertex = create_component_op(
            project_id="my-project",
            location="us-central1",
            gcs_model_path=train_model_op.output,
            model_display_name="my-custom-model",
            model_name="custom_model",
            local_model_file="ckpt.pt",
            extra_files_staging_path="gs://bucket/extra",
            custom_container=True,
            serving_container_image_uri="europe-west2-docker.pkg.dev/my-project/serving/torchserve-gpu:latest",
            predict_route="/predictions/custom_model",
            serving_environment_vars={"MODEL_NAME": "custom_model", "TS_WORKERS": 2},
            health_route="/ping",
            serving_container_ports=[8080],
            extra_prediction_files="file_1.py,file_2.py,file_3.json",
            handler="custom_handler.py",
            requirements="requirements.txt",
            custom_tokenizer_path=tokenizer_op.outputs["path_to_tokenizer"],
            custom_tokenizer_name="tokenizer.pkl",
        )
        described: str = read_vertex_model(model=upload_model_to_vertex.outputs["vertex_model"]).output
        return described

    output, log = run_pipeline(pipeline, tmp_path)
    assert output, log
    (version,) = cloud.versions("my-custom-model")
    container = version.container_spec
    assert container.image_uri == "europe-west2-docker.pkg.dev/my-project/serving/torchserve-gpu:latest"
    assert (container.predict_route, container.health_route) == ("/predictions/custom_model", "/ping")
    probe = ["/opt/venv/bin/python", "-I", "-m", "vertex_torchserve.serving.probe"]
    assert list(container.startup_probe.exec_.command) == [*probe, "--wait", "1200"]
    assert (container.startup_probe.period_seconds, container.startup_probe.timeout_seconds) == (10, 1230)
    assert list(container.health_probe.exec_.command) == probe
    assert (container.health_probe.period_seconds, container.health_probe.timeout_seconds) == (10, 10)
    assert [port.container_port for port in container.ports] == [8080]
    assert {each.name: each.value for each in container.env} == {
        "MODEL_NAME": "custom_model",
        "TS_WORKERS": "2",
    }
    assert [key.rpartition("/")[2] for key in cloud.keys_beneath("custom/model-archive")] == [
        "custom_model.mar"
    ]
    with cloud.archive(version.artifact_uri) as archive:
        assert {"requirements.txt", "tokenizer.pkl", "file_1.py"} < set(archive.namelist())
        assert "not_named.txt" not in archive.namelist()
        model = json.loads(archive.read("MAR-INF/MANIFEST.json"))["model"]
    assert model["modelName"] == "custom_model"
    assert model["requirementsFile"] == "requirements.txt"
    _assert_describes(json.loads(output), version)


def test_an_output_named_with_a_dash_is_reached_with_an_underscore() -> None:
    """As component/README.md says: in KFP 2 `outputs['path-to-tokenizer']` raises."""
    tune = components.load_component_from_text(
        """
name: tune tokenizer
outputs: [{name: path-to-tokenizer, type: String}]
implementation: {container: {image: tune, command: [tune, {outputPath: path-to-tokenizer}]}}
"""
    )
    seen: list[Any] = []

    @dsl.pipeline(name="tokenizer")
    def pipeline() -> None:
        outputs = tune().outputs
        seen.append(outputs["path_to_tokenizer"])
        with pytest.raises(KeyError):
            outputs["path-to-tokenizer"]

    assert len(seen) == 1


def _assert_describes(metadata: dict[str, Any], version: Any) -> None:
    """The artifact, as the next task of the pipeline read it, against the registry."""
    name = version.name.partition("@")[0]
    assert name.startswith("projects/")
    assert metadata["DisplayName"] == version.display_name
    assert metadata["VertexModelID"] == name
    assert metadata["resourceName"] == f"{name}@1"
    assert metadata["uri"] == f"https://us-central1-aiplatform.googleapis.com/v1/{name}@1"
