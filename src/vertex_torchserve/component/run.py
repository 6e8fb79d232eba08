"""What the component calls: from its inputs to a registered model version and its artifact."""

import logging
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from kfp import dsl

from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.component.gate import Outputs, prove
from vertex_torchserve.component.input_problems import input_problems
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.component.staging import archive_folder, stage
from vertex_torchserve.component.task import begin_task
from vertex_torchserve.errors import raise_problems
from vertex_torchserve.gcs.local_copy import told_by_origin
from vertex_torchserve.model_archive import BuiltArchive, build_model_archive
from vertex_torchserve.release.replaced import compared_with_replaced
from vertex_torchserve.serving.archive.request_file import read_request_file
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.run import untested
from vertex_torchserve.vertex_ai import RegisteredModel, intended_version, register_archive

_log = logging.getLogger("vertex_torchserve.component")


def run(vertex_model: VertexModel, report: dsl.HTML, metrics: dsl.Metrics, **inputs: Any) -> None:
    """Stage, package, prove, upload and register; then describe the version in `vertex_model`.

    Args:
        vertex_model: The output artifact; its `uri` and `metadata` are set.
        report: Gets the page about the archive, whether it serves or not.
        metrics: Gets the figures of the smoke test.
        inputs: The component's inputs by name (`ComponentInputs`).

    Raises:
        InputError: For everything wrong with the inputs, before anything is downloaded.
        ServingError: When the archive does not serve; nothing is registered then.
        RegistryError: When Vertex AI refuses or fails.
    """
    begin_task()
    checked = ComponentInputs.given(**inputs)
    today = date.today()
    raise_problems(input_problems(checked, today))
    container = checked.container_spec(today)
    for warning in checked.container().warnings(checked.location, today):
        _log.warning(warning)
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        _log.info("staging %s", checked.gcs_model_path)
        # What was staged goes once it is archived: the archive is unpacked next, and each is as large.
        with tempfile.TemporaryDirectory(prefix="staged-", dir=work) as staging:
            staged = stage(checked, Path(staging))
            with told_by_origin(staged.origins):
                built = build_model_archive(staged.spec, Path(work, "archive"))
            instances = staged.smoke_test_instances
            asked = read_request_file(instances) if instances else None
        _log.info("packaged %s: %d bytes, sha256 %s", built.mar_path.name, built.size_bytes, built.sha256)
        for warning in built.warnings:
            _log.warning(warning)
        outputs = Outputs(report, metrics)
        plan = ServingPlan.of(built.mar_path, container, sha256=built.sha256, crc32c=built.crc32c)
        if asked is None:
            found = untested(plan)
            outputs.write(found)
        else:
            found = prove(plan, asked, outputs)
        folder, upload = archive_folder(checked), checked.upload()
        intended = intended_version(plan, folder, upload)
        _log.info("%s", intended.in_words())
        comparison = compared_with_replaced(plan, upload, intended)
        if comparison:
            replaced = comparison.for_report()
            outputs.write(replace(found, replaced=replaced))
            _log.info(
                "beside %s: %s",
                replaced.name,
                replaced.not_compared or f"{replaced.changed} of {replaced.compared} answers changed",
            )
        model = register_archive(plan, folder, upload)
    _log.info("registered %s", model.versioned_resource_name)
    _describe(vertex_model, model, built, checked.location)


def _describe(artifact: VertexModel, model: RegisteredModel, built: BuiltArchive, location: str) -> None:
    artifact.uri = f"https://{location}-aiplatform.googleapis.com/v1/{model.versioned_resource_name}"
    artifact.metadata.update(
        {
            # What each key holds is in component/README.md, under Output.
            "DisplayName": model.display_name,
            "VertexModelID": model.resource_name,
            "resourceName": model.versioned_resource_name,
            "VersionID": model.version_id,
            "ArtifactUri": model.artifact_uri,
            "ArchiveSha256": built.sha256,
            "ArchiveWarnings": list(built.warnings),
        }
    )
