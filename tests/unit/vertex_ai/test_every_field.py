"""Each field of the API's messages can be set by command, component and Python, or is on a list."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1 import types

from testbed.archives import write_archive
from vertex_torchserve.cli.registered_container import registered_container
from vertex_torchserve.component.deployment import deployment_of
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.serving_plan import ContainerSpec, Probe, registered_form
from vertex_torchserve.serving_plan.probe import ACTIONS, NUMBERS
from vertex_torchserve.serving_plan.registered_form import FORM_FIELDS
from vertex_torchserve.vertex_ai import DeploymentPlan, ModelUpload
from vertex_torchserve.vertex_ai.deployment import deployed_model
from vertex_torchserve.vertex_ai.upload_request import upload_message

LOCATION = "us-central1"
IMAGE = f"{LOCATION}-docker.pkg.dev/p/r/server:1"
KEY = f"projects/p/locations/{LOCATION}/keyRings/r/cryptoKeys/k"
ACCOUNT = "runner@p.iam.gserviceaccount.com"
NUMBERED = {"periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 30, "successThreshold": 1}
PROBES: dict[str, dict[str, Any]] = {
    "startupProbe": {"exec": {"command": ["/probe"]}, **NUMBERED, "initialDelaySeconds": 5},
    "healthProbe": {
        "httpGet": {
            "path": "/ready",
            "port": 8081,
            "host": "h",
            "scheme": "HTTP",
            "httpHeaders": [{"name": "A", "value": "1"}],
        }
    },
    "livenessProbe": {"grpc": {"port": 9000, "service": "s"}},
}
EXPLAINED = {"parameters": {"sampledShapleyAttribution": {"pathCount": 10}}}

# Fields that nobody can set here, and why.
MODEL_FIELDS_LEFT_OUT = {
    "predict_schemata": "made from the archive: vertex_ai/predict_schemata.py",
    "artifact_uri": "the folder where the archive was put",
    "metadata": "of AutoML's models and of schemas of one's own; a .mar has neither",
    "metadata_schema_uri": "likewise",
    "pipeline_job": "Vertex AI fills it in",
    "data_stats": "of the training data of AutoML's models",
    "base_model_source": "of models that Model Garden deploys",
    "default_checkpoint_id": "of tuned models of Google's",
    **dict.fromkeys(
        (
            "name",
            "version_id",
            "version_create_time",
            "version_update_time",
            "supported_export_formats",
            "training_pipeline",
            "supported_deployment_resources_types",
            "supported_input_storage_formats",
            "supported_output_storage_formats",
            "create_time",
            "update_time",
            "deployed_models",
            "model_source_info",
            "original_model_info",
            "metadata_artifact",
            "satisfies_pzs",
            "satisfies_pzi",
            "checkpoints",
        ),
        "output only",
    ),
    "etag": "of updates",
}


def given_fields(message: Any) -> set[str]:
    return {field.name for field, _ in type(message).pb(message).ListFields()}


def all_fields(message: type) -> set[str]:
    return {field.name for field in message.pb(message()).DESCRIPTOR.fields}  # type: ignore[attr-defined]


def from_python(**container: Any) -> types.UploadModelRequest:
    spec = ContainerSpec(
        **{
            "image": IMAGE,
            "predict_route": "/ask",
            "health_route": "/healthy",
            "ports": (8080,),
            "environment": {"A": "1"},
            "command": ("/serve",),
            "args": ("--fast",),
            "startup_probe": Probe.of(PROBES["startupProbe"]),
            "health_probe": Probe.of(PROBES["healthProbe"]),
            "liveness_probe": Probe.of(PROBES["livenessProbe"]),
            "grpc_ports": (9000,),
            "deployment_timeout": 1800,
            "shared_memory_size_mb": 2048,
            **container,
        }
    )
    upload = ModelUpload(
        "p",
        LOCATION,
        "demo",
        description="d",
        parent_model="1",
        version_description="v",
        version_aliases=("golden",),
        labels={"team": "nlp"},
        model_id="m",
        service_account=ACCOUNT,
        encryption_spec_key_name=KEY,
        explanation_spec=EXPLAINED,
    )
    return message(upload, spec)


def from_component(**inputs: Any) -> types.UploadModelRequest:
    given = ComponentInputs.given(
        **{
            "project_id": "p",
            "location": LOCATION,
            "gcs_model_path": "gs://bucket/model",
            "local_model_file": "model.pt",
            "model_display_name": "demo",
            "custom_container": True,
            "serving_container_image_uri": IMAGE,
            "serving_container_ports": [8080.0],
            "serving_environment_vars": {"A": 1.0},
            "model_description": "d",
            "parent_model": "1",
            "version_description": "v",
            "version_aliases": ["golden"],
            "labels": {"team": "nlp"},
            "serving_container_deployment_timeout": 1800,
            "serving_container_shared_memory_size_mb": 2048,
            "serving_container_startup_probe": PROBES["startupProbe"],
            "serving_container_health_probe": PROBES["healthProbe"],
            "serving_container_liveness_probe": PROBES["livenessProbe"],
            "serving_container_grpc_ports": [9000.0],
            "service_account": ACCOUNT,
            "encryption_spec_key_name": KEY,
            "model_id": "m",
            "explanation_spec": EXPLAINED,
            **inputs,
        }
    )
    return message(given.upload(), given.container_spec(date(2026, 11, 22)))


def message(upload: ModelUpload, container: ContainerSpec) -> types.UploadModelRequest:
    form = upload.form()
    form["model"]["containerSpec"] = registered_form(container)
    return upload_message(form, {})


@pytest.mark.parametrize("way", ["python", "component"])
def test_the_request_and_its_model(way: str) -> None:
    request = {"python": from_python, "component": from_component}[way]()
    assert given_fields(request) == all_fields(types.UploadModelRequest)
    assert given_fields(request.model) == all_fields(types.Model) - set(MODEL_FIELDS_LEFT_OUT)


def containers(folder: Path) -> Iterator[tuple[str, list[types.UploadModelRequest]]]:
    """The specs of each way in; what can't be given together is given one after the other."""
    prebuilt = {
        "custom_container": False,
        "serving_container_image_uri": "",
        "serving_container_command": ["/serve"],
        "serving_container_args": ["--fast"],
    }
    yield "python", [from_python(), from_python(predict_route=None, invoke_route_prefix="/*")]
    yield (
        "component",
        [from_component(), from_component(**prebuilt), from_component(invoke_route_prefix="/*")],
    )
    form = registered_form(ContainerSpec(IMAGE, command=("/serve",), args=("--fast",)))
    form |= {**PROBES, "grpcPorts": [{"containerPort": 9000}]}
    form |= {"deploymentTimeout": "1800s", "sharedMemorySizeMb": 2048}
    routes = {
        "predictRoute": "/predictions/model",
        "healthRoute": "/ping",
        "ports": [{"containerPort": 8080}],
    }
    whole = {**form, **routes, "env": [{"name": "A", "value": "1"}]}
    yield (
        "command line",
        [
            message(
                ModelUpload("p", LOCATION, "demo"),
                registered_container(
                    write_archive(folder, modelName="model"),
                    LOCATION,
                    None,
                    None,
                    None,
                    predict_route=None,
                    health_route=None,
                    port=None,
                    container_spec=json.dumps(option),
                ),
            )
            for option in (whole, {**form, "invokeRoutePrefix": "/*"})
        ],
    )


def test_the_container_and_its_probes(tmp_path: Path) -> None:
    for way, requests in containers(tmp_path):
        specs = [request.model.container_spec for request in requests]
        assert set().union(*map(given_fields, specs)) == all_fields(types.ModelContainerSpec), way
        for spec in specs:
            assert {name for name in ("predict_route", "invoke_route_prefix") if getattr(spec, name)} != {
                "predict_route",
                "invoke_route_prefix",
            }, way


def test_the_tables_of_names_are_the_apis() -> None:
    names = {
        json_name(field)
        for field in types.ModelContainerSpec.pb(types.ModelContainerSpec()).DESCRIPTOR.fields
    }
    assert set(FORM_FIELDS) == names
    probe = types.Probe.pb(types.Probe()).DESCRIPTOR
    assert {*ACTIONS, *NUMBERS} == {json_name(field) for field in probe.fields}
    for kind, fields in ACTIONS.items():
        action = next(field for field in probe.fields if json_name(field) == kind).message_type
        assert set(fields) == {json_name(field) for field in action.fields}


def json_name(field: Any) -> str:
    name: str = field.json_name
    return name


DEPLOYED_MODEL_FIELDS_LEFT_OUT = {
    "id": "Vertex AI chooses it",
    "explanation_spec": "the model's own counts",
    "disable_explanations": "a model without explanation_spec explains nothing",
    "disable_container_logging": "the log is where a failed deployment is explained",
    "automatic_resources": "of models of AutoML",
    "shared_resources": "pools of machines for several models are not built",
    "faster_deployment_config": "of Model Garden's trial deployments",
    "system_labels": "of Model Garden's deployments",
    "checkpoint_id": "of tuned models of Google's",
    "speculative_decoding_spec": "of generative models that Google serves",
    **dict.fromkeys(("create_time", "private_endpoints", "status", "model_version_id"), "output only"),
}


def test_a_deployment_and_its_machines() -> None:
    inputs = {
        "endpoint": "e", "traffic": 10, "machine_type": "g2-standard-8", "accelerator_type": "NVIDIA_L4",
        "accelerator_count": 1, "min_replicas": 2, "max_replicas": 4, "required_replicas": 1,
        "autoscaling": {"requests": 60.0}, "spot": True, "service_account": ACCOUNT,
        "dedicated_endpoint": True, "access_logging": True,
    }  # fmt: skip
    model = "projects/p/locations/us-central1/models/1@2"
    deployment = deployment_of(model, **inputs)
    assert (deployment.project, deployment.location, deployment.traffic) == ("p", LOCATION, 10)
    plan = DeploymentPlan(
        deployment, model, "demo", None, "demo", None, {}, {}, None, golden_requests=(), golden_note=""
    )
    message = deployed_model(plan)
    assert given_fields(message) == all_fields(types.DeployedModel) - set(DEPLOYED_MODEL_FIELDS_LEFT_OUT)
    assert given_fields(message.dedicated_resources) == all_fields(types.DedicatedResources)
