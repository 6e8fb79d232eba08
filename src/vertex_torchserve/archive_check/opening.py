"""Find out what a path is, and open it: a .mar, a .tar.gz, a folder, each on the disk or in Cloud Storage."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from vertex_torchserve import gcs
from vertex_torchserve.archive_check.views.bucket_view import BucketView
from vertex_torchserve.archive_check.views.folder_view import FilesView
from vertex_torchserve.archive_check.views.tar_view import TarView
from vertex_torchserve.archive_check.views.view import ArchiveView
from vertex_torchserve.archive_check.views.zip_view import ZipView
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.members import MOST_MEMBERS
from vertex_torchserve.serving.archive.other_formats import TAR_SUFFIXES
from vertex_torchserve.serving.archive.source import ArchiveSource, LocalArchive

_ACCEPTED = "a .mar, a .tar.gz, an unpacked archive or a model folder is accepted"


class Opened(NamedTuple):
    """What a path names.

    Attributes:
        view: Its members.
        is_packed: Whether it is one file, which has to be an archive.
    """

    view: ArchiveView
    is_packed: bool


def open_archive(path: str) -> Opened:
    """Open what a path names; nothing of it is written to the disk.

    Args:
        path: A file or a folder, or the gs:// path of one.

    Raises:
        InputError: When there is nothing, or it can't be read.
        StorageError: When Cloud Storage goes on failing.
    """
    if path.startswith("gs://"):
        return _stored(gcs.GcsPath.parse(path))
    found = Path(path)
    if found.is_dir():
        files = dict(_files(found))
        archive = _one_archive(files)
        if archive is not None:
            return _packed(LocalArchive(files[archive]), archive)
        return Opened(FilesView(path, files), is_packed=False)
    if not found.exists():
        raise InputError(Problem(f"{path} does not exist; {_ACCEPTED}", "correct the path"))
    if not found.is_file():
        raise InputError(Problem(f"{path} is neither a file nor a folder; {_ACCEPTED}", "correct the path"))
    return _packed(LocalArchive(found), path)


def _packed(source: ArchiveSource, path: str) -> Opened:
    return Opened(TarView(source) if path.endswith(TAR_SUFFIXES) else ZipView(source), is_packed=True)


def _stored(path: gcs.GcsPath) -> Opened:
    item = gcs.find_object(path)
    if item is not None:
        return _packed(gcs.ObjectRanges(item), str(path))
    objects = gcs.list_folder(path)
    if not objects:
        raise InputError(gcs.nothing_beneath(path))
    archive = _one_archive([item.name for item in objects])
    if archive is not None:
        return _packed(gcs.ObjectRanges(objects[0]), archive)
    return Opened(BucketView(path, objects), is_packed=False)


def _one_archive(names: Collection[str]) -> str | None:
    """The archive of an artifact folder or a model store, which holds it and nothing else."""
    only = next(iter(names)) if len(names) == 1 else ""
    return only if only.endswith((".mar", *TAR_SUFFIXES)) else None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    count = 0
    for file in sorted(folder.rglob("*")):
        if (
            file.is_file()
            and "__pycache__" not in file.parts
            and ".git" not in file.relative_to(folder).parts
        ):
            count += 1
            if count > MOST_MEMBERS:
                return
            yield file.relative_to(folder).as_posix(), file
