"""Retrain every night; the alias `production` moves only to a version that answers held-out points right.

What must be in the bucket before, and how it gets a schedule, is in examples/pipelines/README.md.
"""

from kfp import dsl
from steps import promote, train

from vertex_torchserve.kfp import upload_pytorch_model


@dsl.pipeline(name="nightly-retrain")
def nightly_retrain(
    parent_model: str,
    project_id: str = "my-project",
    location: str = "us-central1",
    bucket: str = "gs://my-bucket",
    serving_image: str = "us-central1-docker.pkg.dev/my-project/serving/torchserve-cpu:1",
    noise: float = 0.1,
):
    """A new version of a model that is there. With noise=1.0 it is refused, with 5.0 never registered."""
    trained = train(folder=f"{bucket}/runs/{dsl.PIPELINE_JOB_ID_PLACEHOLDER}", noise=noise)
    upload = upload_pytorch_model(
        project_id=project_id,
        location=location,
        gcs_model_path=trained.outputs["model"],
        local_model_file="ckpt.pt",
        model_display_name="line",
        model_name="line",
        predict_route="/predictions/line",
        parent_model=parent_model,
        version_aliases=["candidate"],
        extra_files_staging_path=f"{bucket}/staging",
        handler="line_handler.py",
        extra_prediction_files="golden-request.json",  # travels in the archive: every server is asked it
        smoke_test_instances="golden-request.json",  # what can't answer it is never registered
        custom_container=True,
        serving_container_image_uri=serving_image,
    ).set_caching_options(False)
    promote(
        vertex_model=upload.outputs["vertex_model"],
        alias="production",
        golden=f"{bucket}/staging/held-out.json",  # nearer to the truth than what is registered must be
    ).set_caching_options(False)
