"""The KFP component's interface; `make component` compiles it to component.yaml.

KFP ships the function's source in the pipeline and runs it in the component's image, or in this Python
with `kfp.local`; what it does is in `vertex_torchserve.component`.
"""

import os
from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, Input, Metrics, Output

from vertex_torchserve.component.artifacts import VertexModel

# Published by whoever builds the image (component/README.md); `make component` writes it into the YAML.
IMAGE = os.environ.get("VTS_COMPONENT_IMAGE", "vertex-torchserve-component:dev")


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def upload_pytorch_model(
    project_id: str,
    location: str,
    gcs_model_path: Input[Artifact],
    local_model_file: str,
    model_display_name: str,
    vertex_model: Output[VertexModel],
    report: Output[HTML],
    metrics: Output[Metrics],
    model_name: str = "model",
    version: str = "v1.0",
    extra_files_to_ignore: list[Any] = [],
    extra_files_staging_path: str = "",
    extra_prediction_files: str = "",
    handler: str = "",
    requirements: str = "",
    custom_tokenizer_path: str = "",
    custom_tokenizer_name: str = "",
    custom_container: bool = False,
    serving_container_image_uri: str = "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest",
    health_route: str = "/ping",
    predict_route: str = "/predictions/model",
    serving_container_ports: list[Any] = [],
    serving_environment_vars: dict[str, Any] = {},
    serving_container_args: list[Any] = [],
    serving_container_command: list[Any] = [],
    model_description: str = "",
    parent_model: str = "",
    is_default_version: bool = False,
    version_description: str = "",
    version_aliases: list[Any] = [],
    labels: dict[str, Any] = {},
    model_archive_path: str = "",
    smoke_test_instances: str = "",
    model_file: str = "",
    vendor_wheels: str = "",
    serving_container_deployment_timeout: int = 0,
    serving_container_shared_memory_size_mb: int = 0,
    serving_container_startup_probe: dict[str, Any] = {},
    serving_container_health_probe: dict[str, Any] = {},
    serving_container_liveness_probe: dict[str, Any] = {},
    serving_container_grpc_ports: list[Any] = [],
    invoke_route_prefix: str = "",
    service_account: str = "",
    encryption_spec_key_name: str = "",
    model_id: str = "",
    explanation_spec: dict[str, Any] = {},
) -> None:
    """Package a trained PyTorch model as a TorchServe archive and register it in Vertex AI.

    Args:
        project_id: GCP project ID.
        location: GCP location, a Vertex AI region.
        gcs_model_path: Artifact whose uri is the gs:// folder of the trained model, or the one file itself.
        local_model_file: File name of the model in that folder, such as pytorch_model.bin; the name that a
            single file gets in the archive.
        model_display_name: Display name in the Model Registry.
        model_name: Model name used for TorchServe; a prebuilt container takes only `model`.
        version: Model version used for TorchServe.
        extra_files_to_ignore: Names and glob patterns of files in the model folder to leave out.
        extra_files_staging_path: gs:// folder that holds the files named by the other inputs.
        extra_prediction_files: Comma-separated names of files and folders there for the root of the archive;
            a folder keeps its name, FOLDER/ puts its content there.
        handler: Handler file there (FILE.py or FILE.py:FUNCTION), `huggingface` for the reference handler,
            `endpoint:FILE.py` or `sagemaker:FILE.py` for one of another server, there or, without
            `extra_files_staging_path`, in the model's folder, or the name of one of TorchServe's own; blank
            for `base_handler`.
        requirements: Requirements file there; custom container only.
        custom_tokenizer_path: gs:// path of a custom tokenizer, or of the folder that holds it.
        custom_tokenizer_name: Name of the custom tokenizer in that folder, and in the archive.
        custom_container: Whether the image is your own instead of one of Google's prebuilt ones.
        serving_container_image_uri: Image used for serving.
        health_route: Must be `/ping`; any path with an image named torchserve-cpu or torchserve-gpu. Custom
            container only.
        predict_route: Must be `/predictions/<model_name>`; any path with such an image. Custom container
            only.
        serving_container_ports: Ports of the serving container, the first is used. Custom container only.
        serving_environment_vars: Environment variables of the serving container. Custom container only.
        serving_container_args: Replaces the CMD of the prebuilt container. Prebuilt container only.
        serving_container_command: Replaces the ENTRYPOINT of the prebuilt container. Prebuilt container only.
        model_description: Description of the model.
        parent_model: Resource name or ID of the model that the upload will be a version of.
        is_default_version: Move the alias `default` to this version; version 1 always has it.
        version_description: Description of the version.
        version_aliases: Other aliases of the version.
        labels: Labels of the version.
        model_archive_path: gs:// folder for the archive; `model-archive` in the model's folder when blank.
        smoke_test_instances: JSON or JSONL file of instances in the staging folder; when given, the archive
            is served and asked for predictions, and only registered when it answers right.
        model_file: .py in the staging folder with the class of an eager model, whose weights the model is;
            for TorchServe's own handlers.
        vendor_wheels: gs:// folder of wheels, or `index` for what pip downloads in the task: what the
            requirements need beside a torchserve-cpu image goes into the archive, so that serving needs no
            network. Custom container only.
        serving_container_deployment_timeout: Seconds that a deployment may take, up to 7200; 0 for
            Vertex AI's own limit.
        serving_container_shared_memory_size_mb: Shared memory of the container in MB; 0 for Vertex AI's own.
        serving_container_startup_probe: Probe in the API's form, such as {"httpGet": {"path": "/ready"}};
            must succeed once before the others.
        serving_container_health_probe: Probe in the API's form; asked instead of health_route.
        serving_container_liveness_probe: Probe in the API's form; the container is started again when
            it fails.
        serving_container_grpc_ports: Ports of the container for gRPC predictions, the first is used.
        invoke_route_prefix: `/*` opens every route of the container on a dedicated endpoint, in place of
            predict_route.
        service_account: E-mail of the account that the container runs as.
        encryption_spec_key_name: Resource name of the Cloud KMS key for the model.
        model_id: ID of a new model; a number when blank.
        explanation_spec: Metadata and parameters of explanations, the API's ExplanationSpec.
        vertex_model: The model version, for ModelDeployOp and ModelBatchPredictOp; metadata DisplayName,
            VertexModelID and resourceName.
        report: A page about the archive and its smoke test, also when it does not serve.
        metrics: Figures of the smoke test.
    """
    from vertex_torchserve.component.run import run

    run(
        vertex_model,
        report,
        metrics,
        project_id=project_id,
        location=location,
        gcs_model_path=gcs_model_path.uri,
        local_model_file=local_model_file,
        model_display_name=model_display_name,
        model_name=model_name,
        version=version,
        extra_files_to_ignore=extra_files_to_ignore,
        extra_files_staging_path=extra_files_staging_path,
        extra_prediction_files=extra_prediction_files,
        handler=handler,
        requirements=requirements,
        custom_tokenizer_path=custom_tokenizer_path,
        custom_tokenizer_name=custom_tokenizer_name,
        custom_container=custom_container,
        serving_container_image_uri=serving_container_image_uri,
        health_route=health_route,
        predict_route=predict_route,
        serving_container_ports=serving_container_ports,
        serving_environment_vars=serving_environment_vars,
        serving_container_args=serving_container_args,
        serving_container_command=serving_container_command,
        model_description=model_description,
        parent_model=parent_model,
        is_default_version=is_default_version,
        version_description=version_description,
        version_aliases=version_aliases,
        labels=labels,
        model_archive_path=model_archive_path,
        smoke_test_instances=smoke_test_instances,
        model_file=model_file,
        vendor_wheels=vendor_wheels,
        serving_container_deployment_timeout=serving_container_deployment_timeout,
        serving_container_shared_memory_size_mb=serving_container_shared_memory_size_mb,
        serving_container_startup_probe=serving_container_startup_probe,
        serving_container_health_probe=serving_container_health_probe,
        serving_container_liveness_probe=serving_container_liveness_probe,
        serving_container_grpc_ports=serving_container_grpc_ports,
        invoke_route_prefix=invoke_route_prefix,
        service_account=service_account,
        encryption_spec_key_name=encryption_spec_key_name,
        model_id=model_id,
        explanation_spec=explanation_spec,
    )


if __name__ == "__main__":
    import sys

    from kfp import compiler

    compiler.Compiler().compile(upload_pytorch_model, sys.argv[1])
