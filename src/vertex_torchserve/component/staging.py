"""Bring everything the archive is made of to the local disk."""

from pathlib import Path
from typing import NamedTuple

from vertex_torchserve import gcs
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.model_archive import ModelArchiveSpec

# Beneath the model's folder unless told otherwise; staging that folder again must leave it out.
ARCHIVE_FOLDER = "model-archive"


class Staged(NamedTuple):
    """What was staged.

    Attributes:
        spec: The archive to build.
        smoke_test_instances: The file of instances, None when no smoke test was asked for.
    """

    spec: ModelArchiveSpec
    smoke_test_instances: Path | None


def stage(inputs: ComponentInputs, work: Path) -> Staged:
    """Download the model's folder, the named files of the staging folder, and the tokenizer.

    Args:
        inputs: Checked inputs.
        work: A private folder.

    Raises:
        InputError: When something named is not there, or storage can't be read.
    """
    extras = work / "extra"

    def extra_file(name: str) -> Path:
        return _stage(gcs.GcsPath.parse(inputs.extra_files_staging_path).child(name), extras)

    handler = inputs.handler_name
    if inputs.handler_is_staged:
        file_name, colon, function = handler.partition(":")
        handler = f"{extra_file(file_name)}{colon}{function}"
    requirements = extra_file(inputs.requirements) if inputs.requirements else None
    instances = extra_file(inputs.smoke_test_instances) if inputs.smoke_test_instances else None
    spec = ModelArchiveSpec(
        model_folder=_stage_model(inputs, work / "model"),
        handler=handler,
        model_name=inputs.model_name,
        version=inputs.version,
        local_model_file=inputs.local_model_file,
        extra_files=tuple(extra_file(name) for name in inputs.extra_file_names),
        ignore=tuple(inputs.extra_files_to_ignore),
        tokenizer=_stage_tokenizer(inputs, work / "tokenizer"),
        requirements_file=requirements,
    )
    return Staged(spec, instances)


def _stage_model(inputs: ComponentInputs, folder: Path) -> Path:
    source = gcs.GcsPath.parse(inputs.gcs_model_path)
    if source.key and gcs.is_object(source):
        # A training step that wrote its one file to the artifact's path itself.
        gcs.download_file(source, folder / source.name)
    else:
        gcs.download_folder(
            source, folder, ignore=inputs.extra_files_to_ignore, skip_folders=[ARCHIVE_FOLDER]
        )
    return folder


def _stage_tokenizer(inputs: ComponentInputs, folder: Path) -> Path | None:
    if not inputs.custom_tokenizer_path:
        return None
    source = gcs.GcsPath.parse(inputs.custom_tokenizer_path)
    name = inputs.custom_tokenizer_name
    if name and source.name != name:
        source = source.child(name)
    return _stage(source, folder)


def _stage(source: gcs.GcsPath, folder: Path) -> Path:
    """The local copy of an object or a folder, under its own name in `folder`; staged once."""
    target = folder / source.name
    if not target.exists():
        if gcs.is_object(source):
            gcs.download_file(source, target)
        else:
            gcs.download_folder(source, target)
    return target
