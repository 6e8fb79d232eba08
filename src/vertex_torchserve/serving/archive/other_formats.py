"""The other formats of torch-model-archiver: `.tar.gz` (`tgz`) and a folder (`no-archive`)."""

import gzip
import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.serving.archive.manifest import REPACK, manifest_of_files
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving.archive.members import link_problems, member_name_problems
from vertex_torchserve.serving.archive.source import ArchiveSource, pieces
from vertex_torchserve.serving.archive.unpacking import ModelFolder, writing

TAR_SUFFIXES = (".tar.gz", ".tgz")


def unpack_tar(source: ArchiveSource, folder: Path) -> ModelFolder:
    """Unpack a `.tar.gz`, whose files all lie in one folder of the model's name.

    Args:
        source: The archive; read once, from its beginning to its end.
        folder: Must not exist yet. When unpacking fails, what was written stays in it.

    Raises:
        InputError: It is no such archive, is damaged, holds links, or the disk can't take it.
    """
    names: list[str] = []
    with (
        writing(source.origin, folder),
        _readable(source.origin),
        closing(pieces(source, 0, source.size)) as stream,
        gzip.GzipFile(fileobj=io.BufferedReader(_Pieces(stream))) as content,
        tarfile.open(fileobj=content, mode="r|") as archive,
    ):
        for member in archive:
            if member.isdir():
                continue
            name = name_in_tar(member)
            raise_problems(member_name_problems(source.origin, [name], REPACK))
            if not member.isreg():
                raise InputError(*link_problems(source.origin, [name], REPACK))
            names.append(name)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as unpacked:
                shutil.copyfileobj(cast(IO[bytes], archive.extractfile(member)), unpacked, 1 << 20)
        while content.read(1 << 20):
            pass  # to the end, where its checksum is
    return _model_folder(folder, source.origin, names)


def name_in_tar(member: tarfile.TarInfo) -> str:
    """A member's name without the folder of the model's name, which torch-model-archiver puts first."""
    return str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))


def link_folder(unpacked: Path, folder: Path) -> ModelFolder:
    """Serve an archive that is a folder: links to its files, for what is beside them is ours to write.

    Args:
        unpacked: The folder with `MAR-INF/MANIFEST.json`.
        folder: Must not exist yet.

    Raises:
        InputError: It can't be served, or not be read.
    """
    names: list[str] = []
    with writing(str(unpacked), folder):
        for path in sorted(unpacked.rglob("*")):
            if path.is_file():
                name = str(path.relative_to(unpacked))
                names.append(name)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                if name == MANIFEST_NAME:
                    shutil.copyfile(path, folder / name)
                else:
                    (folder / name).symlink_to(path.resolve())
    return _model_folder(folder, str(unpacked), names)


def download_folder(uri: str, folder: Path) -> ModelFolder:
    """Fetch an archive that is a folder of Cloud Storage: in parallel, each object checked by its CRC32C.

    Args:
        uri: The folder with `MAR-INF/MANIFEST.json`.
        folder: Must not exist yet.

    Raises:
        InputError: It can't be served, or not be read, or the disk can't take it.
        StorageError: Cloud Storage goes on failing.
    """
    from vertex_torchserve import gcs

    source = gcs.GcsPath.parse(uri)
    names = [item.name for item in gcs.list_folder(source)]
    raise_problems(member_name_problems(uri, names, REPACK))
    gcs.download_folder(source, folder)
    return _model_folder(folder, uri, names)


class _Pieces(io.RawIOBase):
    """Bytes that come in pieces, as a file that is read once."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._stream, b""))
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


@contextmanager
def _readable(origin: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(Problem(f"{origin} is not a model archive: {error}", REPACK)) from error


def _model_folder(folder: Path, origin: str, names: list[str]) -> ModelFolder:
    raise_problems(member_name_problems(origin, names, REPACK))
    manifest = manifest_of_files(origin, folder, names)
    return ModelFolder(folder, origin, manifest, sum((folder / name).stat().st_size for name in names))
