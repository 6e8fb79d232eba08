"""Build a model archive: check everything, then write one reproducible .mar beside its place and rename.

The manifest and the rules for names come from torch-model-archiver; why the zip doesn't is in
docs/decisions/0009-archive-writer.md.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging_utils import ModelExportUtils

from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.model_archive.archive_file import Progress, versions_of, write_archive
from vertex_torchserve.model_archive.checked_members import check_members
from vertex_torchserve.model_archive.extra_files import takes_content
from vertex_torchserve.model_archive.golden_lines import golden_file_of_lines
from vertex_torchserve.model_archive.handler_settings import config_with_settings, handler_settings
from vertex_torchserve.model_archive.handler_source import Handler, resolve_handler
from vertex_torchserve.model_archive.members import collect_members, files_below
from vertex_torchserve.model_archive.onnx_export.request import (
    engine_problems,
    export_model,
    made_by_export,
    takes_onnx,
)
from vertex_torchserve.model_archive.serialized_file import find_serialized_file
from vertex_torchserve.model_archive.spec import (
    DEFAULT_MODEL_NAME,
    DEFAULT_VERSION,
    ModelArchiveSpec,
    name_problems,
)
from vertex_torchserve.model_archive.wheels.vendoring import vendored_wheels, vendoring_problems
from vertex_torchserve.serving.archive.member_names import (
    GOLDEN_REQUEST_NAME,
    MANIFEST_NAME,
    MODEL_CONFIG_NAME,
    REQUIREMENTS_NAME,
)
from vertex_torchserve.serving.archive.request_file import LINE_SUFFIXES

# One date for all archives, as for their members, so that the same inputs give the same bytes.
_CREATED_ON = "01/01/1980 00:00:00"


@dataclass(frozen=True)
class BuiltArchive:
    """A finished archive.

    Attributes:
        mar_path: The file.
        sha256: Its digest, in hex.
        crc32c: Its checksum, as Cloud Storage writes it.
        size_bytes: Its size in bytes.
        model_name: As in the manifest.
        version: As in the manifest.
        handler: As in the manifest.
        members: Names in the archive, sorted.
        warnings: What will surprise, by the rules of `archive_check`, one text each.
        measured: What was measured of another engine than torch, one text each.
    """

    mar_path: Path
    sha256: str
    crc32c: str
    size_bytes: int
    model_name: str
    version: str
    handler: str
    members: tuple[str, ...]
    warnings: tuple[str, ...]
    measured: tuple[str, ...] = ()


def build_model_archive(
    spec: ModelArchiveSpec, export_path: Path, *, force: bool = False, progress: Progress | None = None
) -> BuiltArchive:
    """Write `<export_path>/<model_name>.mar`.

    Args:
        spec: What to package.
        export_path: The folder for the archive; made when it is not there.
        force: Replace an archive of that name.
        progress: Called with (bytes written, bytes in all) while it runs.

    Raises:
        InputError: For everything wrong with the input, together, before anything is written; when the folder
            can't be written; when a file changes meanwhile; when no wheels agree with the image.
        DockerError: When there is no engine, or the image that is to choose wheels can't be asked.
        VertexTorchServeError: When the process that exports the model to ONNX ends.
    """
    problems: list[Problem] = []
    _check_paths(spec, problems)
    _check_target(spec, export_path, force, problems)
    handler = resolve_handler(spec.handler, spec.model_folder, problems)
    if spec.requirements_file is None and not (spec.model_folder / REQUIREMENTS_NAME).is_file():
        spec = replace(spec, requirements_file=handler.requirements)
    serialized_file = find_serialized_file(spec, problems)
    members = collect_members(spec, serialized_file, handler.sources, problems)
    versions = versions_of(members)
    config = spec.config_file or members.get(MODEL_CONFIG_NAME)
    requirements = spec.requirements_file or members.get(REQUIREMENTS_NAME)
    problems.extend(vendoring_problems(spec, requirements))
    problems.extend(engine_problems(spec))
    measured: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory(prefix="vts-") as generated:
        if spec.golden_request is not None and spec.golden_request.suffix in LINE_SUFFIXES:
            golden = golden_file_of_lines(spec.golden_request, Path(generated), problems)
            members[GOLDEN_REQUEST_NAME] = golden
            versions |= versions_of({GOLDEN_REQUEST_NAME: golden})
        if settings := handler_settings(spec, handler, problems):
            config = config_with_settings(settings, config, Path(generated), problems)
            members[config.name] = config
            versions |= versions_of({config.name: config})
        checkable = spec
        if name_problems(spec.model_name, spec.version):  # which are among the problems already
            checkable = replace(spec, model_name=DEFAULT_MODEL_NAME, version=DEFAULT_VERSION)
        manifest = _manifest(checkable, handler, serialized_file, requirements, config)
        checked = check_members(
            members,
            manifest,
            told=bool(problems),
            locks=spec.vendor_wheels is not None,
            made=made_by_export(spec),
        )
        raise_problems([*problems, *checked.problems])
        if takes_onnx(spec):
            exported = export_model(spec, members, checked.subject.config, manifest, Path(generated, "onnx"))
            members, measured = {**members, **exported.members}, exported.report
            versions |= versions_of(exported.members)
        if spec.vendor_wheels is not None:
            vendored = vendored_wheels(spec, checked.subject, Path(generated))
            members, versions = {**members, **vendored}, {**versions, **versions_of(vendored)}

        manifest = _manifest(spec, handler, serialized_file, requirements, config)
        mar_path = export_path / f"{spec.model_name}.mar"
        sums = write_archive(mar_path, manifest, members, versions, progress)
    return BuiltArchive(
        mar_path=mar_path,
        sha256=sums.sha256,
        crc32c=sums.crc32c,
        size_bytes=mar_path.stat().st_size,
        model_name=spec.model_name,
        version=spec.version,
        handler=handler.manifest_name,
        members=tuple(sorted([MANIFEST_NAME, *members])),
        warnings=checked.warnings,
        measured=measured,
    )


def _check_paths(spec: ModelArchiveSpec, problems: list[Problem]) -> None:
    folder = str(spec.model_folder)
    if not spec.model_folder.is_dir():
        problems.append(Problem(f"model folder {folder!r} does not exist", "name the trained model's folder"))
    elif not any(files_below(spec.model_folder)):
        problems.append(Problem(f"model folder {folder!r} holds no file", "name the trained model's folder"))
    files = {
        "requirements file": spec.requirements_file,
        "config file": spec.config_file,
        "model file": spec.model_file,
        "golden request": spec.golden_request,
    }
    for what, path in files.items():
        if path is not None and not path.is_file():
            problems.append(Problem(f"{what} {str(path)!r} is not a file that exists", "correct the path"))
    if spec.tokenizer is not None and not spec.tokenizer.exists():
        problems.append(Problem(f"tokenizer {str(spec.tokenizer)!r} does not exist", "correct the path"))
    for extra in spec.extra_files:
        if not Path(extra).exists():
            problems.append(Problem(f"extra file {str(extra)!r} does not exist", "correct the path"))
        elif takes_content(extra) and not Path(extra).is_dir():
            problems.append(Problem(f"extra file {str(extra)!r} is not a folder", "leave its last slash out"))


def _check_target(spec: ModelArchiveSpec, export_path: Path, force: bool, problems: list[Problem]) -> None:
    wrong_names = name_problems(spec.model_name, spec.version)
    problems.extend(wrong_names)
    if export_path.exists() and not export_path.is_dir():
        problems.append(Problem(f"export path {str(export_path)!r} is not a folder", "name a folder"))
    mar_path = export_path / f"{spec.model_name}.mar"
    if not wrong_names and mar_path.exists() and not force:
        problems.append(Problem(f"{mar_path} exists already", "use --force to replace it"))


def _manifest(
    spec: ModelArchiveSpec,
    handler: Handler,
    serialized_file: str | None,
    requirements: Path | None,
    config: Path | None,
) -> str:
    manifest = json.loads(
        ModelExportUtils.generate_manifest_json(
            ModelArchiverConfig(
                model_name=spec.model_name,
                handler=handler.manifest_name,
                version=spec.version,
                serialized_file=Path(serialized_file).name if serialized_file else None,
                model_file=spec.model_file.name if spec.model_file else None,
                requirements_file=requirements.name if requirements else None,
                config_file=config.name if config else None,
            )
        )
    )
    manifest["createdOn"] = _CREATED_ON
    return json.dumps(manifest, indent=2)
