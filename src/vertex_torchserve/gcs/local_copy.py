"""Download what a gs:// path names; a local path is returned as it is."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from vertex_torchserve import gcs


def stage_path(path: str, staging: Path, *, ignore: Sequence[str] = ()) -> Path:
    """The local file or folder for `path`.

    Args:
        path: A local path, or the gs:// path of a folder or an object.
        staging: Folder for downloads; each path gets a folder of its own in it.
        ignore: Names and glob patterns of what in a gs:// folder is not downloaded.

    Raises:
        InputError: When a gs:// path names nothing, or can't be read.
    """
    if not path.startswith("gs://"):
        return Path(path)
    source = gcs.GcsPath.parse(path)
    folder = Path(tempfile.mkdtemp(dir=staging))
    return gcs.download(source, folder / (source.name or source.bucket), ignore=ignore)
