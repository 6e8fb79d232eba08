"""Download everything the archive is made of."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve import gcs
from vertex_torchserve.component.inputs import ComponentInputs
from vertex_torchserve.errors import Problem, raise_problems
from vertex_torchserve.model_archive import ModelArchiveSpec
from vertex_torchserve.model_archive.extra_files import takes_content
from vertex_torchserve.model_archive.wheels.vendoring import INDEX

# Beneath the model's folder where `model_archive_path` is blank; the download of that folder leaves it out.
_ARCHIVE_FOLDER = "model-archive"
_LISTED_FILES = 12


class Staged(NamedTuple):
    """What was staged.

    Attributes:
        spec: The archive to build.
        smoke_test_instances: The file of instances, None when no smoke test was asked for.
        origins: The gs:// path of each local copy, for errors.
    """

    spec: ModelArchiveSpec
    smoke_test_instances: Path | None
    origins: Mapping[Path, str]


class _Source(NamedTuple):
    """An object or a folder that an input names, and where it goes.

    Attributes:
        input_name: The input.
        path: What it names.
        target: The local file or folder.
        takes_content: Whether the folder's content is named: an object of that name is not it.
    """

    input_name: str
    path: gcs.GcsPath
    target: Path
    takes_content: bool = False

    @property
    def extra_file(self) -> str:
        """The local copy as `ModelArchiveSpec.extra_files` has it."""
        return f"{self.target}{'/' if self.takes_content else ''}"


def stage(inputs: ComponentInputs, work: Path) -> Staged:
    """Download the model's folder, the named files of the staging folder, and the tokenizer.

    Args:
        inputs: Checked inputs.
        work: A private folder.

    Raises:
        InputError: For everything named that is not there, before anything is downloaded; when storage
            can't be read.
    """
    extra = _staged_files(inputs, work / "extra")
    tokenizer = _tokenizer(inputs, work / "tokenizer")
    wheels = _wheels(inputs, work / "wheels")
    sources = [*extra.values(), *(each for each in (tokenizer, wheels) if each)]
    raise_problems([*_model_problems(inputs), *(each for source in sources for each in _problems(source))])
    _download_model(inputs, work / "model")
    for source in sources:
        if source.takes_content:
            gcs.download_folder(source.path, source.target)
        else:
            gcs.download(source.path, source.target)
    handler = inputs.handler_name
    if inputs.handler_is_staged:
        # Its kind or its function, around the file, stay.
        handler = handler.replace(inputs.handler_file, str(extra[inputs.handler_file].target), 1)
    instances = inputs.smoke_test_instances
    spec = ModelArchiveSpec(
        model_folder=work / "model",
        handler=handler,
        model_name=inputs.model_name,
        version=inputs.version,
        local_model_file=inputs.local_model_file,
        model_file=extra[inputs.model_file].target if inputs.model_file else None,
        extra_files=tuple(extra[name].extra_file for name in inputs.extra_file_names),
        ignore=tuple(inputs.extra_files_to_ignore),
        tokenizer=tokenizer.target if tokenizer else None,
        requirements_file=extra[inputs.requirements].target if inputs.requirements else None,
        vendor_wheels=str(wheels.target) if wheels else inputs.vendor_wheels or None,
    )
    origins = {source.target: str(source.path) for source in sources}
    origins[work / "model"] = inputs.gcs_model_path
    return Staged(spec, extra[instances].target if instances else None, origins)


def archive_folder(inputs: ComponentInputs) -> gcs.GcsPath:
    """The folder for the archives of this model.

    Raises:
        InputError: When storage can't be read.
    """
    if inputs.model_archive_path:
        return gcs.GcsPath.parse(inputs.model_archive_path)
    model = gcs.GcsPath.parse(inputs.gcs_model_path)
    return (model.parent if gcs.is_object(model) else model).child(_ARCHIVE_FOLDER)


def _staged_files(inputs: ComponentInputs, folder: Path) -> dict[str, _Source]:
    """The named files of the staging folder, by name; one that two inputs name is there once.

    Each lies in a folder of its own: one may be a file of a folder that is another.
    """
    if not inputs.extra_files_staging_path:
        return {}
    staging = gcs.GcsPath.parse(inputs.extra_files_staging_path)
    return {
        name: _Source(input_name, path, folder / str(number) / path.name, takes_content(name))
        for number, (input_name, name) in enumerate(inputs.staged_names)
        for path in [staging.child(name.removesuffix("/"))]
    }


def _tokenizer(inputs: ComponentInputs, folder: Path) -> _Source | None:
    if not inputs.custom_tokenizer_path:
        return None
    path = gcs.GcsPath.parse(inputs.custom_tokenizer_path)
    name = inputs.custom_tokenizer_name or path.name
    if not gcs.is_object(path) and path.name != name:
        path = path.child(name)
    # In the bucket the file may have the name of a pipeline's output; in the archive it gets the name given.
    return _Source("custom_tokenizer_path", path, folder / name)


def _wheels(inputs: ComponentInputs, folder: Path) -> _Source | None:
    if inputs.vendor_wheels in ("", INDEX):
        return None
    path = gcs.GcsPath.parse(inputs.vendor_wheels)
    return _Source("vendor_wheels", path, folder, takes_content=True)


def _model_problems(inputs: ComponentInputs) -> Iterable[Problem]:
    source = gcs.GcsPath.parse(inputs.gcs_model_path)
    name = inputs.local_model_file
    if gcs.is_object(source) or gcs.is_object(source.child(name)):
        return
    names = [item.name for item in gcs.list_folder(source)]
    shown = ", ".join(names[:_LISTED_FILES]) + (", ..." if len(names) > _LISTED_FILES else "")
    yield Problem(
        f"local_model_file {name!r} is not in {source}, which holds: {shown or 'nothing'}",
        "correct local_model_file, or the uri of gcs_model_path",
    )


def _problems(source: _Source) -> Iterable[Problem]:
    is_object = not source.takes_content and gcs.is_object(source.path)
    if not is_object and not gcs.list_folder(source.path):
        yield Problem(
            f"{source.input_name}: there is nothing at {source.path}",
            "correct the name, or upload it before the pipeline runs",
        )


def _download_model(inputs: ComponentInputs, folder: Path) -> None:
    source = gcs.GcsPath.parse(inputs.gcs_model_path)
    model_file = folder / inputs.local_model_file
    if gcs.is_object(source):
        # The training step wrote one file to the artifact's own path, so its name is the one KFP chose.
        gcs.download_file(source, model_file)
        return
    archives = archive_folder(inputs)
    skipped = [_ARCHIVE_FOLDER]
    if archives.bucket == source.bucket and archives.key.startswith(source.prefix):
        skipped.append(archives.key.removeprefix(source.prefix))
    gcs.download_folder(source, folder, ignore=inputs.extra_files_to_ignore, skip_folders=skipped)
    if not model_file.exists():  # an ignore pattern for other files matched it, too
        gcs.download_file(source.child(inputs.local_model_file), model_file)
