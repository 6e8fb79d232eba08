"""Write a file so that a kill, or a power cut, leaves the old content or the new one, never a part."""

import os
from pathlib import Path


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file; when this returns, the new content is on the disk.

    Written beside its place as `NAME.new`, then renamed. A kill may leave the `.new` file; the next write of
    the same name replaces it.

    Args:
        path: The file; its folder must exist.
        content: The whole new content.

    Raises:
        OSError: When it can't be written; the old file is still there.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)  # on a full disk it would hold the room that is left
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk.

    Raises:
        OSError: When the folder can't be read.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
