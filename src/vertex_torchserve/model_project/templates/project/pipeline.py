"""Package, prove and register the model on Vertex AI Pipelines: `python pipeline.py` writes pipeline.yaml.

`model_folder` is a gs:// copy of `model/`; `staging_folder` one of this folder's other files.
"""

from kfp import compiler, components, dsl

from vertex_torchserve.packaged_files import packaged_file

upload_pytorch_model = components.load_component_from_file(str(packaged_file("component/component.yaml")))


@dsl.pipeline(name="@NAME@")
def pipeline(project: str, location: str, model_folder: str, staging_folder: str, serving_image: str) -> None:
    """Register one version.

    Args:
        project: Google Cloud project id.
        location: Vertex AI region.
        model_folder: gs:// folder of the model.
        staging_folder: gs:// folder of instances.json and the handler.
        serving_image: Your torchserve-cpu or torchserve-gpu in the region's Artifact Registry.
    """
    trained = dsl.importer(artifact_uri=model_folder, artifact_class=dsl.Artifact, reimport=False)
    upload_pytorch_model(
        project_id=project,
        location=location,
        gcs_model_path=trained.output,
        local_model_file="@MODEL_FILE@",
        model_display_name="@NAME@",
        handler="@HANDLER@",
        extra_files_staging_path=staging_folder,
        smoke_test_instances="instances.json",
        custom_container=True,
        serving_container_image_uri=serving_image,
        serving_container_ports=[8080],
    )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, "pipeline.yaml")
