"""The steps of these pipelines that are your own; they run in the component's image, which has torch."""

import os

from kfp import dsl

from vertex_torchserve.kfp import VertexModel

# Where vertex_torchserve.kfp takes the image of its components from.
IMAGE = os.environ.get("COMPONENT_IMAGE", "vertex-torchserve-component:dev")


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(folder: str, model: dsl.Output[dsl.Artifact], noise: float = 0.1):
    """Fit a line through noisy points, and write it to a gs:// folder: put your own training here."""
    import tempfile
    from pathlib import Path

    import torch

    from vertex_torchserve import gcs

    x = torch.linspace(-1, 1, 400)
    y = 2 * x + 1 + noise * torch.randn(400, generator=torch.Generator().manual_seed(0))
    weight, bias = torch.linalg.lstsq(torch.stack([x, torch.ones(400)], 1), y).solution.tolist()
    with tempfile.TemporaryDirectory() as scratch:
        torch.save({"weight": weight, "bias": bias}, Path(scratch, "ckpt.pt"))
        gcs.upload_file(Path(scratch, "ckpt.pt"), gcs.GcsPath.parse(folder).child("ckpt.pt"))
    model.uri = folder


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def batch_predict(vertex_model: dsl.Input[VertexModel], source: str, destination: str) -> str:
    """Run a batch prediction job over a JSONL file; the folder with its results.

    google-cloud-pipeline-components' ModelBatchPredictOp takes the same model.
    """
    from vertex_torchserve.vertex_ai import BatchJob, follow_batch_job, start_batch_job

    name = vertex_model.metadata["resourceName"]
    _, project, _, location, *_ = name.split("/")
    job = start_batch_job(BatchJob(project, location, name, source, destination))
    result = follow_batch_job(project, location, job)
    if result.failed:
        raise RuntimeError(f"{result.failed} instances failed: {result.failures}")
    return result.output_folder


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promote(vertex_model: dsl.Input[VertexModel], alias: str, golden: str):
    """Give a version an alias when it answers the requests of a golden file, a gs:// path, as that says."""
    import tempfile
    from pathlib import Path

    from vertex_torchserve import gcs
    from vertex_torchserve.release.promotion import Wish, planned
    from vertex_torchserve.serving.archive.request_file import read_request_file

    model, _, version = vertex_model.metadata["resourceName"].partition("@")
    source = gcs.GcsPath.parse(golden)
    with tempfile.TemporaryDirectory() as scratch:
        requests = read_request_file(gcs.download_file(source, Path(scratch, source.name)))
    move = planned(Wish(model, alias, version, golden=requests))
    if move.is_done:
        return
    proof = move.prove()
    wrong = [each.said for compared in proof.compared for each in compared.differences]
    if wrong:
        raise RuntimeError(f"version {version} does not get {alias}. {golden}: {'; '.join(wrong)}")
    move.carry_out()
