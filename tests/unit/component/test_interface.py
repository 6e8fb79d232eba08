"""component.yaml has the inputs of the table here, and so has component/README.md."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, components, dsl

from vertex_torchserve.component.artifacts import VertexModel

COMPONENT_YAML = Path("component/component.yaml")
SMOKE_TEST_YAML = Path("component/smoke_test.yaml")
DEPLOY_YAML = Path("component/deploy.yaml")
README = Path("component/README.md")
REQUIRED = object()
IMAGE = "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"
Table = dict[str, tuple[str, Any]]

INPUTS: Table = {
    "project_id": ("str", REQUIRED),
    "location": ("str", REQUIRED),
    "gcs_model_path": ("Artifact", REQUIRED),
    "local_model_file": ("str", REQUIRED),
    "model_display_name": ("str", REQUIRED),
    "model_name": ("str", "model"),
    "version": ("str", "v1.0"),
    "extra_files_to_ignore": ("list", []),
    "extra_files_staging_path": ("str", ""),
    "extra_prediction_files": ("str", ""),
    "handler": ("str", ""),
    "requirements": ("str", ""),
    "custom_tokenizer_path": ("str", ""),
    "custom_tokenizer_name": ("str", ""),
    "custom_container": ("bool", False),
    "serving_container_image_uri": ("str", IMAGE),
    "health_route": ("str", "/ping"),
    "predict_route": ("str", "/predictions/model"),
    "serving_container_ports": ("list", []),
    "serving_environment_vars": ("dict", {}),
    "serving_container_args": ("list", []),
    "serving_container_command": ("list", []),
    "model_description": ("str", ""),
    "parent_model": ("str", ""),
    "is_default_version": ("bool", False),
    "version_description": ("str", ""),
    "version_aliases": ("list", []),
    "labels": ("dict", {}),
    "model_archive_path": ("str", ""),
    "smoke_test_instances": ("str", ""),
    "model_file": ("str", ""),
    "vendor_wheels": ("str", ""),
    "serving_container_deployment_timeout": ("int", 0),
    "serving_container_shared_memory_size_mb": ("int", 0),
    "serving_container_startup_probe": ("dict", {}),
    "serving_container_health_probe": ("dict", {}),
    "serving_container_liveness_probe": ("dict", {}),
    "serving_container_grpc_ports": ("list", []),
    "invoke_route_prefix": ("str", ""),
    "service_account": ("str", ""),
    "encryption_spec_key_name": ("str", ""),
    "model_id": ("str", ""),
    "explanation_spec": ("dict", {}),
}
KFP_TYPES = {
    "String": "str",
    "List": "list",
    "Dict": "dict",
    "Boolean": "bool",
    "Integer": "int",
    "system.Artifact@0.0.1": "Artifact",
}


@pytest.fixture(scope="module")
def component(root: Path) -> Any:
    return components.load_component_from_file(str(root / COMPONENT_YAML))


def test_names_types_and_defaults_are_the_tables(component: Any) -> None:
    found = {
        name: (KFP_TYPES[spec.type], spec.default if spec.optional else REQUIRED)
        for name, spec in component.component_spec.inputs.items()
    }
    assert found == INPUTS


def test_the_outputs_are_googles_vertex_model_a_page_and_figures(component: Any) -> None:
    outputs = component.component_spec.outputs
    assert {name: spec.type for name, spec in outputs.items()} == {
        "vertex_model": "google.VertexModel@0.0.1",
        "report": "system.HTML@0.0.1",
        "metrics": "system.Metrics@0.0.1",
    }
    assert (VertexModel.schema_title, VertexModel.schema_version) == ("google.VertexModel", "0.0.1")


def test_the_gate_alone(root: Path) -> None:
    spec = components.load_component_from_file(str(root / SMOKE_TEST_YAML)).component_spec
    inputs = {
        name: (KFP_TYPES[each.type], each.default if each.optional else REQUIRED)
        for name, each in spec.inputs.items()
    }
    assert inputs == {
        "model_archive": ("Artifact", REQUIRED),
        "smoke_test_instances": ("str", ""),
        "serving_environment_vars": ("dict", {}),
        "predict_route": ("str", ""),
        "health_route": ("str", ""),
        "serving_container_image_uri": ("str", ""),
    }
    assert {name: each.type for name, each in spec.outputs.items()} == {
        "proved_archive": "system.Artifact@0.0.1",
        "report": "system.HTML@0.0.1",
        "metrics": "system.Metrics@0.0.1",
    }


def test_deploying(root: Path) -> None:
    spec = components.load_component_from_file(str(root / DEPLOY_YAML)).component_spec
    inputs = {
        name: (KFP_TYPES.get(each.type, each.type), each.default if each.optional else REQUIRED)
        for name, each in spec.inputs.items()
    }
    assert inputs == {
        "vertex_model": ("google.VertexModel@0.0.1", REQUIRED),
        "endpoint": ("str", ""),
        "traffic": ("int", 100),
        "machine_type": ("str", "n1-standard-4"),
        "accelerator_type": ("str", ""),
        "accelerator_count": ("int", 0),
        "min_replicas": ("int", 1),
        "max_replicas": ("int", 0),
        "required_replicas": ("int", 0),
        "autoscaling": ("dict", {}),
        "spot": ("bool", False),
        "service_account": ("str", ""),
        "dedicated_endpoint": ("bool", False),
        "access_logging": ("bool", False),
    }
    assert {name: each.type for name, each in spec.outputs.items()} == {
        "vertex_endpoint": "google.VertexEndpoint@0.0.1"
    }
    section = (root / README).read_text().partition("## Deploying")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([\w.]+) \| (?:`([^`]*)`|required) \|", section, re.MULTILINE)
    assert {
        name: (kind, ast.literal_eval(default) if default else REQUIRED) for name, kind, default in rows
    } == {name: (kind.partition("@")[0], default) for name, (kind, default) in inputs.items()}


def test_every_input_has_a_description(component: Any) -> None:
    definitions = component.pipeline_spec.components["comp-upload-pytorch-model"].input_definitions
    described = {
        name
        for inputs in (definitions.parameters, definitions.artifacts)
        for name in inputs
        if inputs[name].description
    }
    assert described == set(INPUTS)


def test_a_consumer_of_vertex_models_takes_the_output(component: Any, tmp_path: Path) -> None:
    @dsl.component(base_image="python:3.11")
    def deploy(model: dsl.Input[VertexModel]) -> None:
        pass

    @dsl.component(base_image="python:3.11")
    def evaluate(model: dsl.Input[dsl.Dataset]) -> None:
        pass

    def upload() -> Any:
        trained = dsl.importer(artifact_uri="gs://bucket/model", artifact_class=dsl.Artifact, reimport=False)
        return component(
            project_id="p",
            location="us-central1",
            gcs_model_path=trained.output,
            local_model_file="model.pt",
            model_display_name="m",
        ).outputs["vertex_model"]

    @dsl.pipeline(name="deploy")
    def deployed() -> None:
        deploy(model=upload())

    compiler.Compiler().compile(deployed, str(tmp_path / "pipeline.yaml"))
    assert "schemaTitle: google.VertexModel" in (tmp_path / "pipeline.yaml").read_text()

    with pytest.raises(dsl.types.type_utils.InconsistentTypeException, match=r"google\.VertexModel"):

        @dsl.pipeline(name="evaluate")
        def evaluated() -> None:
            evaluate(model=upload())


def test_the_readmes_table_is_the_interface(root: Path) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (?:`([^`]*)`|(required)) \|", (root / README).read_text(), re.MULTILINE
    )
    written = {
        name: (kind, REQUIRED if required else ast.literal_eval(default))
        for name, kind, default, required in rows
    }
    assert written == INPUTS
    assert list(written) == list(INPUTS)


def test_the_readmes_usages_compile(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    blocks = re.findall(r"^```python\n(.*?)^```", (root / README).read_text(), re.MULTILINE | re.DOTALL)
    pipelines = []
    for number, block in enumerate(blocks):
        source = tmp_path / f"block_{number}.py"  # KFP reads the source of a component's function
        source.write_text(block)
        names: dict[str, Any] = {}
        exec(compile(block, str(source), "exec"), names)  # noqa: S102
        if "pipeline" in names:
            target = tmp_path / f"{number}.yaml"
            compiler.Compiler().compile(names["pipeline"], str(target))
            pipelines.append(target.read_text())
    assert ["custom_model" in text for text in pipelines] == [False, True]
    assert all("comp-upload-pytorch-model" in text for text in pipelines)
