"""What the gate's own component calls: fetch an archive, prove that it serves, name it as proved."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfp import dsl

from vertex_torchserve import gcs
from vertex_torchserve.component.gate import Outputs, prove
from vertex_torchserve.component.task import begin_task
from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.serving.archive.request_file import read_request_file
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan


def run(
    proved_archive: dsl.Artifact,
    report: dsl.HTML,
    metrics: dsl.Metrics,
    *,
    model_archive: str,
    smoke_test_instances: str = "",
    serving_environment_vars: Mapping[str, Any] | None = None,
    predict_route: str = "",
    health_route: str = "",
    serving_container_image_uri: str = "",
) -> None:
    """Fetch, prove, and describe the archive in `proved_archive`.

    Args:
        proved_archive: The output artifact; its `uri` and `metadata` are set.
        report: Gets the page about the archive, whether it serves or not.
        metrics: Gets the figures of the smoke test.
        model_archive: gs:// path of a .mar, or of the folder that holds one.
        smoke_test_instances: gs:// path of the instances; empty for the archive's golden request.
        serving_environment_vars: What it will be served with.
        predict_route: Where predictions will be posted; empty for TorchServe's own route.
        health_route: What will be asked for 200; empty for TorchServe's own route.
        serving_container_image_uri: The image that it will be registered with; empty for the CPU image.

    Raises:
        InputError: For everything wrong with the inputs, before anything is downloaded.
        ServingError: When the archive does not serve.
    """
    begin_task()
    given = {"model_archive": (model_archive, gcs.archive_at)}
    if smoke_test_instances:
        given["smoke_test_instances"] = (smoke_test_instances, _object)
    container = ContainerSpec(
        serving_container_image_uri,
        environment=serving_environment_vars or {},
        predict_route=predict_route or None,
        health_route=health_route or None,
    )
    found, problems = {}, list(container.problems())
    for name, (text, find) in given.items():
        try:
            found[name] = find(gcs.GcsPath.parse(text))
        except InputError as error:
            problems += [Problem(f"{name}: {each.message}", each.fix) for each in error.problems]
    raise_problems(problems)
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        files = {name: gcs.download_file(path, Path(work, name, path.name)) for name, path in found.items()}
        asked = read_request_file(files["smoke_test_instances"]) if smoke_test_instances else None
        proof = prove(ServingPlan.of(files["model_archive"], container), asked, Outputs(report, metrics))
    proved_archive.uri = str(found["model_archive"])
    proved_archive.metadata.update({"ArchiveSha256": proof.sha256, "ModelName": proof.model_name})


def _object(path: gcs.GcsPath) -> gcs.GcsPath:
    if not gcs.is_object(path):
        raise InputError(Problem(f"there is nothing at {path}", "correct the path, or upload it before"))
    return path
