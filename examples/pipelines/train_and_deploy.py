"""Train, register, predict in batch, deploy: with your own serving image, and with a prebuilt one.

What must be in the bucket before is in examples/pipelines/README.md.
"""

from kfp import dsl
from steps import batch_predict, train

from vertex_torchserve.kfp import deploy_pytorch_model, upload_pytorch_model


@dsl.pipeline(name="train-and-deploy")
def custom_container(
    project_id: str = "my-project",
    location: str = "us-central1",
    bucket: str = "gs://my-bucket",
    serving_image: str = "us-central1-docker.pkg.dev/my-project/serving/torchserve-cpu:1",
    model_folder: str = "gs://my-bucket/runs/1",
    parent_model: str = "",
    traffic: int = 100,
):
    """With an image of this project, which takes requirements, any model name and probes."""
    trained = train(folder=model_folder)
    upload = upload_pytorch_model(
        project_id=project_id,
        location=location,
        gcs_model_path=trained.outputs["model"],
        local_model_file="ckpt.pt",
        model_display_name="line",
        model_name="line",
        predict_route="/predictions/line",
        parent_model=parent_model,  # the model that this becomes a version of; blank for the first one
        extra_files_staging_path=f"{bucket}/staging",
        handler="line_handler.py",
        extra_prediction_files="golden-request.json",
        smoke_test_instances="golden-request.json",  # what can't answer these is never registered
        custom_container=True,
        serving_container_image_uri=serving_image,
        serving_container_deployment_timeout=1800,
    ).set_caching_options(False)
    model = upload.outputs["vertex_model"]
    job = batch_predict(
        vertex_model=model, source=f"{bucket}/batch/instances.jsonl", destination=f"{bucket}/batch/results"
    )
    # traffic=10 makes a canary of it, once another version is deployed.
    deploy_pytorch_model(vertex_model=model, traffic=traffic).after(job)


@dsl.pipeline(name="train-and-register-prebuilt")
def prebuilt_container(
    project_id: str = "my-project",
    location: str = "us-central1",
    bucket: str = "gs://my-bucket",
    model_folder: str = "gs://my-bucket/runs/1",
):
    """With Google's prebuilt container, until 2027-01-14: the name is `model`, and no requirements."""
    trained = train(folder=model_folder)
    upload_pytorch_model(
        project_id=project_id,
        location=location,
        gcs_model_path=trained.outputs["model"],
        local_model_file="ckpt.pt",
        model_display_name="line-prebuilt",
        extra_files_staging_path=f"{bucket}/staging",
        handler="line_handler.py",
        smoke_test_instances="golden-request.json",
    ).set_caching_options(False)
