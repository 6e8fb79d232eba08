"""What the component calls: from its inputs to a registered model version and its artifact."""

import logging
import signal
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.component.input_problems import input_problems
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.component.staging import archive_folder, stage
from vertex_torchserve.errors import ServingError, raise_problems
from vertex_torchserve.gcs.local_copy import told_by_origin
from vertex_torchserve.model_archive import BuiltArchive, build_model_archive
from vertex_torchserve.smoke_test.instances import read_instances
from vertex_torchserve.smoke_test.run import run_smoke_test
from vertex_torchserve.vertex_ai import RegisteredModel, register_archive

_log = logging.getLogger("vertex_torchserve.component")


def run(vertex_model: VertexModel, **inputs: Any) -> None:
    """Stage, package, prove, upload and register; then describe the version in `vertex_model`.

    Args:
        vertex_model: The output artifact; its `uri` and `metadata` are set.
        inputs: The component's inputs by name (`ComponentInputs`).

    Raises:
        InputError: For everything wrong with the inputs, before anything is downloaded.
        ServingError: When the archive does not serve; nothing is registered then.
        RegistryError: When Vertex AI refuses or fails.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    # KFP sends SIGTERM to a cancelled task. As an exception it ends the processes and removes the files that
    # this task has made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    checked = ComponentInputs.given(**inputs)
    today = date.today()
    raise_problems(input_problems(checked, today))
    for warning in checked.container().warnings(checked.location, today):
        _log.warning(warning)
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        _log.info("staging %s", checked.gcs_model_path)
        staged = stage(checked, Path(work))
        with told_by_origin(staged.origins):
            built = build_model_archive(staged.spec, Path(work, "archive"))
        _log.info("packaged %s: %d bytes, sha256 %s", built.mar_path.name, built.size_bytes, built.sha256)
        for warning in built.warnings:
            _log.warning(warning)
        if staged.smoke_test_instances is not None:
            _prove(built, staged.smoke_test_instances)
        model = register_archive(built.mar_path, archive_folder(checked), checked.upload(today))
    _log.info("registered %s", model.versioned_resource_name)
    _describe(vertex_model, model, built, checked.location)


def _prove(built: BuiltArchive, instances: Path) -> None:
    report = run_smoke_test(built.mar_path, read_instances(instances))
    if not report.ok:
        raise ServingError(
            f"the archive does not serve, so it is not registered:\n{report.failure()}",
            "correct the handler or the model, and try `vertex-torchserve smoke-test` on it",
        )
    _log.info("smoke test: ready after %s s, %d predictions", report.ready_seconds, len(report.predictions))


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
