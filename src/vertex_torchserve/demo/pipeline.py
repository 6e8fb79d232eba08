"""The demo's KFP pipeline: the published component.yaml, run by `kfp.local` in this Python."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfp import components, dsl, local

from vertex_torchserve.packaged_files import packaged_file

COMPONENT_FILE = "component/component.yaml"


@dataclass(frozen=True)
class PipelineInputs:
    """The inputs of the demo's pipeline.

    Attributes:
        project: Project id.
        location: Region.
        model_folder: gs:// folder of the trained model.
        staging_folder: gs:// folder with `instances.json`.
        image: The serving image of the model version.
    """

    project: str
    location: str
    model_folder: str
    staging_folder: str
    image: str


def run_pipeline(inputs: PipelineInputs, root: Path, log: Path) -> dict[str, Any]:
    """Run the pipeline to its end; returns the metadata of its VertexModel artifact.

    Args:
        inputs: What the component is given.
        root: Folder for KFP's own files.
        log: Where KFP's and the component's output goes.

    Raises:
        RuntimeError: When a task fails; the log says why.
    """
    upload_pytorch_model = components.load_component_from_file(str(packaged_file(COMPONENT_FILE)))

    @dsl.pipeline(name="vertex-torchserve-demo")
    def pipeline() -> dsl.Artifact:
        trained = dsl.importer(artifact_uri=inputs.model_folder, artifact_class=dsl.Artifact, reimport=False)
        upload = upload_pytorch_model(
            project_id=inputs.project,
            location=inputs.location,
            gcs_model_path=trained.output,
            local_model_file="model.safetensors",
            model_display_name="all-MiniLM-L6-v2",
            handler="huggingface",
            extra_files_staging_path=inputs.staging_folder,
            smoke_test_instances="instances.json",
            custom_container=True,
            serving_container_image_uri=inputs.image,
            serving_container_ports=[8080],
            serving_environment_vars={"MODEL_NAME": "model"},
            is_default_version=True,
            version_description="made by vertex-torchserve demo",
        )
        return upload.outputs["vertex_model"]

    with (
        _own_temporary_folder(),
        log.open("w", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root))
        task = pipeline()
    metadata: dict[str, Any] = task.output.metadata
    return metadata


@contextlib.contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """A private temporary folder: `kfp.local` makes one with the task's source and never removes it."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before
