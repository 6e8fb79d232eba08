"""Run `custom_container` on this machine, then a canary beside it, with the emulator for a cloud.

    python run_here.py

Nothing of it is there when it has ended.
"""

import os
import tempfile
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from kfp import local
from train_and_deploy import custom_container

from vertex_torchserve import gcs
from vertex_torchserve.emulator import Emulator

PROJECT, LOCATION, BUCKET = "my-project", "us-central1", "my-bucket"  # as the pipelines have them


def main() -> None:
    """Fill the bucket, run the pipeline twice, and show what is deployed and what it answers."""
    with Emulator.start(buckets=[BUCKET]) as emulator, tempfile.TemporaryDirectory() as scratch:
        os.environ.update(emulator.environment(), TMPDIR=scratch)
        bucket = gcs.GcsPath.parse(f"gs://{BUCKET}")
        for file in (Path(__file__).parent / "staging").iterdir():
            gcs.upload_file(file, bucket.child("staging").child(file.name))
        instances = Path(scratch, "instances.jsonl")
        instances.write_text("0\n1\n")
        gcs.upload_file(instances, bucket.child("batch/instances.jsonl"))

        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=f"{scratch}/pipelines")
        custom_container()
        aiplatform.init(
            project=PROJECT,
            location=LOCATION,
            credentials=AnonymousCredentials(),
            api_endpoint=emulator.vertex_host,
            api_transport="rest",
        )
        [model] = aiplatform.Model.list()
        custom_container(parent_model=model.resource_name, traffic=10, model_folder=f"gs://{BUCKET}/runs/2")
        [endpoint] = aiplatform.Endpoint.list()
        for deployed in endpoint.list_models():
            share = endpoint.traffic_split[deployed.id]
            print(f"version {deployed.model_version_id} gets {share} % of the requests")
        print(f"0, 1 and -1 are answered {endpoint.predict([0, 1, -1]).predictions}")


if __name__ == "__main__":
    main()
