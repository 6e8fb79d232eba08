"""Pipelines with the component, as the gallery compiles them."""

from kfp import dsl
from kfp_components.components.deployment.upload_pytorch_model import upload_pytorch_model


@dsl.pipeline(name="register-a-trained-model")
def register_a_trained_model(
    project_id: str = "my-project",
    location: str = "us-central1",
    model_folder: str = "gs://my-bucket/run-7",
    staging_folder: str = "gs://my-bucket/staging",
    serving_image: str = "us-central1-docker.pkg.dev/my-project/serving/torchserve-cpu:1",
) -> None:
    """Register a model that was trained before, when it answers the instances of its staging folder.

    Args:
        project_id: GCP project ID.
        location: GCP location, a Vertex AI region.
        model_folder: gs:// folder of the trained model.
        staging_folder: gs:// folder that holds instances.json.
        serving_image: Image used for serving.
    """
    trained = dsl.importer(artifact_uri=model_folder, artifact_class=dsl.Artifact)
    upload_pytorch_model(
        project_id=project_id,
        location=location,
        gcs_model_path=trained.output,
        local_model_file="model.safetensors",
        model_display_name="my-model",
        handler="huggingface",
        extra_files_staging_path=staging_folder,
        smoke_test_instances="instances.json",
        custom_container=True,
        serving_container_image_uri=serving_image,
    )
